import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TLSSocket } from "node:tls";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { VirtualClock } from "../kit/virtual-clock.fixture.ts";
import { OTHER_CERT, OTHER_KEY, SELF_SIGNED_CERT, SELF_SIGNED_KEY } from "../net/http/self-signed.fixture.ts";
import { KubernetesClient } from "./client.ts";
import type { ClusterAccess } from "./cluster-access.ts";
import { FakeApi } from "./fake-api.fixture.ts";
import { TOKEN_AGE_MS_MAX } from "./limits.ts";
import { PODS, SECRETS, type Secret } from "./objects.ts";

const SECRET = "/api/v1/namespaces/a/secrets/s";
const WHERE = { namespace: "a", name: "s" };

let api: FakeApi;
let clients: KubernetesClient[];
beforeEach(async () => {
  api = await FakeApi.start();
  clients = [];
});
afterEach(async () => {
  await Promise.all(clients.map((client) => client.close()));
  await api.stop();
});

function open(facts: Partial<ClusterAccess> = {}, clock = new VirtualClock()): KubernetesClient {
  const client = new KubernetesClient({ access: api.access(facts), clock, userAgent: "test" });
  clients.push(client);
  return client;
}

describe("a client of Kubernetes", () => {
  it("reads, creates, replaces, patches and deletes", async () => {
    const client = open();
    await client.create<Secret>(SECRETS, "a", { metadata: { name: "s" }, data: { k: "dg==" } });
    const read = await client.get<Secret>(SECRETS, WHERE);
    expect(read).toMatchObject({ metadata: WHERE, data: { k: "dg==" } });
    await client.update<Secret>(SECRETS, { ...read, data: { k: "dw==" } });
    expect(await client.patch<Secret>(SECRETS, WHERE, "merge", { data: { k: "eA==" } })).toMatchObject({
      data: { k: "eA==" },
    });
    expect(api.seen.at(-1)?.contentType).toBe("application/merge-patch+json");
    await client.patch<Secret>(SECRETS, WHERE, "apply", {});
    expect(api.seen.at(-1)).toMatchObject({
      target: `${SECRET}?fieldManager=test&force=true`,
      contentType: "application/apply-patch+yaml",
    });
    await client.delete(SECRETS, WHERE);
    await expect(client.get(SECRETS, WHERE)).rejects.toMatchObject({
      isNotFound: true,
      reason: "NotFound",
      message: `GET ${SECRET}: status 404: ${SECRET} not found`,
    });
  });

  it("does not replace an object that has changed since it was read", async () => {
    const client = open();
    api.put(SECRET);
    const read = await client.get<Secret>(SECRETS, WHERE);
    api.put(SECRET);
    await expect(client.update(SECRETS, read)).rejects.toMatchObject({ isConflict: true });
  });

  it("lists page by page", async () => {
    for (let at = 0; at < 1_001; at++) {
      api.put(`/api/v1/namespaces/a/pods/p${at}`);
    }
    const sizes: number[] = [];
    for await (const page of open().pages(PODS)) {
      sizes.push(page.items?.length ?? 0);
    }
    expect(sizes).toEqual([500, 500, 1]);
    expect(api.seen.at(-1)?.target).toBe("/api/v1/pods?limit=500&continue=1000");
  });

  it("logs in with a token, one of a file that it reads again, or a password", async () => {
    api.put(SECRET);
    const folder = await mkdtemp(join(tmpdir(), "kube-"));
    const tokenFile = join(folder, "token");
    const clock = new VirtualClock();
    const authorization = async (client: KubernetesClient): Promise<string | undefined> => {
      await client.get(SECRETS, WHERE);
      return api.seen.at(-1)?.authorization;
    };
    expect(await authorization(open())).toBe("Bearer secret-token");
    const basic = { username: "u", password: "p" };
    expect(await authorization(open({ token: "", basic }))).toBe("Basic dTpw");
    await writeFile(tokenFile, "first\n");
    const client = open({ tokenFile }, clock);
    expect(await authorization(client)).toBe("Bearer first");
    await writeFile(tokenFile, "second\n");
    expect(await authorization(client)).toBe("Bearer first");
    clock.advance(TOKEN_AGE_MS_MAX + 1);
    expect(await authorization(client)).toBe("Bearer second");
    await rm(folder, { recursive: true });
  });

  it.each(["../secrets", "..", "a/b", "a?x", "a%2fb", "", "-a"])("asks for no object named %j", async (name) => {
    await expect(async () => await open().get(SECRETS, { namespace: "a", name })).rejects.toThrow(
      "is no name that Kubernetes has",
    );
    await expect(async () => await open().get(SECRETS, { namespace: name, name: "a" })).rejects.toThrow(
      "is no name that Kubernetes has",
    );
    expect(api.seen).toEqual([]);
  });

  it("says that there is no server", async () => {
    const client = open({ server: "http://127.0.0.1:1" });
    await expect(client.get(SECRETS, WHERE)).rejects.toMatchObject({
      status: 0,
      message: expect.stringMatching(/^Kubernetes API: GET http:\/\/127\.0\.0\.1:1: no connection/) as string,
    });
  });

  it("shows its certificate to a server whose own it checks, by the name it is told", async () => {
    const shown: string[] = [];
    const server = createServer(
      { cert: OTHER_CERT, key: OTHER_KEY, requestCert: true, rejectUnauthorized: false },
      (request, response) => {
        shown.push((request.socket as TLSSocket).getPeerX509Certificate()?.subject ?? "none");
        response.end("{}");
      },
    );
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const access = {
      server: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
      ca: OTHER_CERT,
      clientCertificate: SELF_SIGNED_CERT,
      clientKey: SELF_SIGNED_KEY,
    };
    try {
      await open({ ...access, serverName: "localhost" }).get(SECRETS, WHERE);
      expect(shown).toEqual(["CN=localhost"]);
      await expect(open(access).get(SECRETS, WHERE)).rejects.toThrow("does not match certificate's altnames");
      await expect(
        open({ ...access, ca: SELF_SIGNED_CERT, serverName: "localhost" }).get(SECRETS, WHERE),
      ).rejects.toThrow("no connection: self-signed certificate");
      await open({ ...access, ca: "", skipsVerification: true }).get(SECRETS, WHERE);
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });

  it("refuses answers that are no JSON or too large", async () => {
    const client = open();
    api.intercept = (exchange) => {
      exchange.respond(200, [], "<html>");
      return true;
    };
    await expect(client.get(SECRETS, WHERE)).rejects.toThrow("the answer is no JSON");
    api.intercept = (exchange) => {
      exchange.respond(200, [], Buffer.alloc(4 * 1024 * 1024 + 1, 0x20));
      return true;
    };
    await expect(client.get(SECRETS, WHERE)).rejects.toThrow("more than the limit of 4194304 bytes");
  });
});
