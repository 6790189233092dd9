import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { Canaries } from "../harness/canaries.ts";
import { roleFlags, startOutrigger } from "../harness/outrigger-program.ts";
import { type Folder, temporaryFolder } from "../harness/resources.ts";
import { freePort } from "../harness/test-app.ts";

function sentryArgs(folder: Folder): readonly string[] {
  return [
    "sentry",
    `--config=${join(folder.path, "config.txt")}`,
    `--issuer-credentials=${folder.path}`,
    "--trust-domain=localhost",
    ...roleFlags(0, 0, 0),
    "--log-level=debug",
    "--jwt-enabled",
  ];
}

async function sentryFolder(): Promise<Folder> {
  const folder = await temporaryFolder();
  await folder.write("config.txt", "");
  return folder;
}

it("keys of sentry and tokens of sidecars are in no log, whether they are good or refused", async () => {
  const canaries = new Canaries();
  await using folder = await sentryFolder();
  await using sentry = startOutrigger(sentryArgs(folder), { cwd: folder.path });
  const [, port = ""] =
    /Running gRPC server on port (\d+)/.exec(await sentry.says("Running gRPC server on port ")) ?? [];
  const [, metrics = ""] =
    /metrics server started on 127\.0\.0\.1:(\d+)/.exec(await sentry.says("metrics server started on ")) ?? [];
  const keys = (await readdir(folder.path)).filter((name) => name.endsWith(".key"));
  expect(keys).toContain("issuer.key");
  for (const name of keys) {
    const lines = (await readFile(join(folder.path, name), "utf8"))
      .split("\n")
      .filter((line) => /^[^-]{16,}$/.test(line));
    expect(lines.length).toBeGreaterThan(0);
    lines.forEach((line, index) => canaries.add(`${name}, line ${index + 1}`, line));
  }
  const anchors = await readFile(join(folder.path, "ca.crt"), "utf8");
  const tokenFile = await folder.write("token.txt", canaries.plant("token of the sidecar"));
  const runs: readonly (readonly [said: string, env: Readonly<Record<string, string>>])[] = [
    ["dapr initialized. Status: Running", {}],
    ["failed to retrieve the initial identity", { DAPR_SENTRY_TOKEN_FILE: tokenFile }],
  ];
  for (const [said, env] of runs) {
    await using sidecar = startOutrigger(
      [
        "sidecar",
        "--app-id=shop",
        "--enable-mtls",
        `--sentry-address=127.0.0.1:${port}`,
        "--control-plane-trust-domain=localhost",
        "--control-plane-namespace=default",
        `--dapr-http-port=${await freePort()}`,
        `--dapr-grpc-port=${await freePort()}`,
        "--dapr-listen-addresses=127.0.0.1",
        "--dapr-internal-grpc-listen-address=127.0.0.1",
        "--enable-metrics=false",
        "--log-level=debug",
      ],
      { cwd: folder.path, env: { DAPR_TRUST_ANCHORS: anchors, NAMESPACE: "default", ...env } },
    );
    await sidecar.says(said);
    expect(canaries.found(sidecar.output)).toEqual([]);
  }
  expect(canaries.found(sentry.output)).toEqual([]);
  expect(canaries.found(await (await fetch(`http://127.0.0.1:${metrics}/`)).text())).toEqual([]);
});

it("a key that sentry cannot read, and the password of the scheduler's etcd, are in no log", async () => {
  const canaries = new Canaries();
  await using folder = await sentryFolder();
  const pem = (place: string): string =>
    `-----BEGIN PRIVATE KEY-----\n${canaries.plant(place)}\n-----END PRIVATE KEY-----\n`;
  await folder.write("issuer.key", pem("broken issuer key"));
  await folder.write("issuer.crt", pem("broken issuer certificate"));
  await folder.write("ca.crt", pem("broken root"));
  await using sentry = startOutrigger(sentryArgs(folder), { cwd: folder.path });
  expect((await sentry.ended).code).toBe(1);
  expect(sentry.output).toContain("level=fatal");
  expect(canaries.found(sentry.output)).toEqual([]);

  const etcd = `127.0.0.1:${await freePort()}`;
  await using scheduler = startOutrigger(
    [
      "scheduler",
      ...roleFlags(0, 0, 0),
      "--etcd-embed=false",
      `--etcd-client-endpoints=${etcd}`,
      "--etcd-client-username=me",
      `--etcd-client-password=${canaries.plant("etcd password")}`,
      "--log-level=debug",
    ],
    { cwd: folder.path },
  );
  await scheduler.says(etcd.split(":")[1] ?? "");
  expect(canaries.found(scheduler.output)).toEqual([]);
});
