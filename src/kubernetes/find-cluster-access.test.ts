import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { findClusterAccess } from "./find-cluster-access.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "kube-"));
});
afterEach(async () => await rm(folder, { recursive: true }));

const POD = { KUBERNETES_SERVICE_HOST: "10.0.0.1", KUBERNETES_SERVICE_PORT: "443" };

async function kubeconfig(user: string, cluster = ""): Promise<string> {
  const path = join(folder, "config");
  await writeFile(
    path,
    `apiVersion: v1
kind: Config
current-context: here
contexts:
- name: elsewhere
  context: {cluster: x, user: x}
- name: here
  context: {cluster: c, user: u, namespace: apps}
clusters:
- name: c
  cluster:
    server: https://k.example:6443/base/
${cluster}
users:
- name: u
  user:
${user}
`,
  );
  return path;
}

describe("access to a cluster", () => {
  it("is a pod's by its service account", async () => {
    await Promise.all([
      writeFile(join(folder, "token"), "t\n"),
      writeFile(join(folder, "ca.crt"), "CA"),
      writeFile(join(folder, "namespace"), "ns"),
    ]);
    expect(await findClusterAccess("/no/kubeconfig", POD, folder)).toMatchObject({
      server: "https://10.0.0.1:443",
      ca: "CA",
      token: "t",
      tokenFile: join(folder, "token"),
      namespace: "ns",
    });
    const ipv6 = { ...POD, KUBERNETES_SERVICE_HOST: "fd00::1" };
    expect((await findClusterAccess("", ipv6, folder)).server).toBe("https://[fd00::1]:443");
  });

  it("is a kubeconfig's, with certificates in place or in files beside it", async () => {
    await mkdir(join(folder, "pki"));
    await writeFile(join(folder, "pki/me.crt"), "CERT");
    const path = await kubeconfig(
      "    client-certificate: pki/me.crt\n    client-key-data: S0VZ\n",
      "    certificate-authority-data: Q0E=\n    tls-server-name: other.example\n",
    );
    expect(await findClusterAccess(path, {}, folder)).toEqual({
      server: "https://k.example:6443",
      basePath: "/base",
      ca: "CA",
      serverName: "other.example",
      skipsVerification: false,
      clientCertificate: "CERT",
      clientKey: "KEY",
      token: "",
      tokenFile: "",
      basic: undefined,
      namespace: "apps",
    });
  });

  it("may be by token, file of a token or password", async () => {
    expect(await findClusterAccess(await kubeconfig("    token: t"), {}, folder)).toMatchObject({ token: "t" });
    expect(await findClusterAccess(await kubeconfig("    tokenFile: t"), {}, folder)).toMatchObject({
      tokenFile: join(folder, "t"),
    });
    expect(
      await findClusterAccess(
        await kubeconfig("    username: u\n    password: p", "    insecure-skip-tls-verify: true"),
        {},
        folder,
      ),
    ).toMatchObject({ basic: { username: "u", password: "p" }, skipsVerification: true });
  });

  it.each([
    ["    exec: {command: aws}", "", "the user logs in by exec, which is not supported"],
    ["    auth-provider: {name: gcp}", "", "the user logs in by auth-provider, which is not supported"],
    ["    client-certificate: missing.crt", "", "missing.crt cannot be read"],
    ["    token: [1]", "", "token is no text"],
    ["    token: &a [*a]", "", ""],
  ])("names what a kubeconfig lacks: %s", async (user, cluster, message) => {
    const path = await kubeconfig(user, cluster);
    await expect(findClusterAccess(path, {}, folder)).rejects.toThrow(message);
  });

  it("names what is missing both ways", async () => {
    await expect(findClusterAccess(join(folder, "none"), {}, folder)).rejects.toThrow(
      `no access to a Kubernetes cluster: this is no pod (KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set); and kubeconfig`.replace(
        "kubeconfig",
        join(folder, "none"),
      ),
    );
    await expect(findClusterAccess("", POD, folder)).rejects.toThrow(
      `no access to a Kubernetes cluster: ${join(folder, "token")} cannot be read`,
    );
  });
});
