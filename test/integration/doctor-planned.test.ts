import { mkdir, readdir, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { join } from "node:path";
import { expect, it } from "vitest";
import { devFolder, type Program, startOutrigger } from "../harness/outrigger-program.ts";
import { component, temporaryFolder } from "../harness/resources.ts";
import { startSentryProgram } from "../harness/sentry-program.ts";
import { closed, listening } from "../harness/test-app.ts";
import { TestAuthority } from "../harness/test-authority.ts";

const HIDDEN = "nobody-may-read-this";

interface Report {
  readonly exitCode: number;
  readonly findings: readonly {
    readonly check: string;
    readonly severity: string;
    readonly what: string;
    readonly where?: string;
  }[];
}

async function reportOf(program: Program): Promise<Report & { readonly code: number | null }> {
  const { code } = await program.ended;
  return { code, ...(JSON.parse(program.output) as Report) };
}

it("finds nothing wrong with a run file that is in order, and writes nothing", async () => {
  await using folder = await devFolder([{ id: "orders" }, { id: "stock" }]);
  const before = await readdir(folder.path, { recursive: true });
  await using doctor = startOutrigger(["doctor"], { cwd: folder.path });
  expect((await doctor.ended).code).toBe(0);
  expect(doctor.output).toMatch(/^ok {5}ports/m);
  expect(doctor.output).toMatch(/^- {6}running/m);
  expect(doctor.output).toMatch(/\nnothing is wrong\n$/);
  expect(await readdir(folder.path, { recursive: true })).toEqual(before);
});

it("says of a run file what is wrong, where, and none of its secrets", async () => {
  await using folder = await devFolder([{ id: "orders" }], "common: { resourcesPath: ./resources }\n");
  const taken = createServer();
  await listening(taken, folder.appPorts.get("orders"));
  await mkdir(join(folder.path, "resources"));
  const write = (name: string, text: string): Promise<void> => writeFile(join(folder.path, "resources", name), text);
  await writeFile(join(folder.path, "secrets.json"), JSON.stringify({ password: HIDDEN }));
  await write(
    "vault.yaml",
    component("vault", "secretstores.local.file", { secretsFile: join(folder.path, "secrets.json") }),
  );
  await write(
    "cache.yaml",
    `${component("cache", "state.redis", { redisHost: "localhost:1", redisPasword: HIDDEN }).trimEnd()}
    - { name: redisPassword, secretKeyRef: { name: password, key: password } }
    - { name: redisUsername, secretKeyRef: { name: user, key: user } }
auth: { secretStore: vault }
scopes: [orders, oders]
`,
  );
  await using doctor = startOutrigger(["doctor", "--json", "dapr.yaml"], { cwd: folder.path });
  const { code, exitCode, findings } = await reportOf(doctor);
  await closed(taken);
  expect(doctor.output).not.toContain(HIDDEN);
  expect([code, exitCode]).toEqual([2, 2]);
  expect(findings.map(({ check, severity, where }) => [check, severity, where])).toEqual([
    ["ports", "error", undefined],
    ["resources", "warning", "resources/cache.yaml:10"],
    ["scopes", "warning", "resources/cache.yaml:14"],
    ["secrets", "error", "resources/cache.yaml:12"],
    ["reachability", "error", "resources/cache.yaml:1"],
  ]);
  expect(findings[0]?.what).toMatch(/is taken/);
});

it("ends with 1 for warnings alone", async () => {
  await using folder = await temporaryFolder();
  await folder.write("a.yaml", component("store", "state.in-memory", { colour: "red" }));
  await using doctor = startOutrigger(["doctor", "sidecar", "--app-id=a", "--resources-path=.", ...PORTS], {
    cwd: folder.path,
  });
  expect((await doctor.ended).code).toBe(1);
  expect(doctor.output).toContain('component store has no metadata field "colour"');
  expect(doctor.output).toContain("at   a.yaml:9");
});

it("says what keeps a set-up from being looked at", async () => {
  await using folder = await temporaryFolder();
  await folder.write("dapr.yaml", "version: 1\napps: none\n");
  await using file = startOutrigger(["doctor", "--json"], { cwd: folder.path });
  expect((await reportOf(file)).findings[0]?.what).toContain("dapr.yaml");
  await using flags = startOutrigger(["doctor", "--json", "sidecar"], { cwd: folder.path });
  const report = await reportOf(flags);
  expect(report.findings[0]?.what).toContain("parameter app-id cannot be empty");
  expect(report.code).toBe(2);
  await using words = startOutrigger(["doctor", "--jsn"], { cwd: folder.path });
  expect((await words.ended).code).toBe(2);
  expect(words.output).toContain("did you mean --json?");
});

it("finds trust anchors that sentry's certificate does not lead to", async () => {
  await using sentry = await startSentryProgram();
  const flags = ["sidecar", "--app-id=a", "--enable-mtls", `--sentry-address=${sentry.mtls.sentryAddress}`, ...PORTS];
  const examine = async (anchors: string): Promise<Report> => {
    const env = { DAPR_TRUST_ANCHORS: anchors };
    await using doctor = startOutrigger(["doctor", "--json", ...flags], { cwd: "/", env });
    return await reportOf(doctor);
  };
  expect((await examine(sentry.mtls.trustAnchors)).findings.filter(({ check }) => check === "certificates")).toEqual(
    [],
  );
  const { trustAnchors } = await TestAuthority.create();
  const wrong = (await examine(trustAnchors)).findings.filter(({ check }) => check === "certificates");
  expect(wrong.map(({ what }) => what)).toContainEqual(
    expect.stringMatching(/^sentry at .* has a certificate that leads to none of the trust anchors/),
  );
});

/** Ports that are picked: what else runs on the machine is not what these tests are about. */
const PORTS = ["--dapr-http-port=0", "--dapr-grpc-port=0", "--metrics-port=0"];
