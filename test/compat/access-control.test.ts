import { spawn } from "node:child_process";
import { once } from "node:events";
import fc from "fast-check";
import { expect, test } from "vitest";
import { createSharedScope } from "../../src/inventory/shared-scope.ts";
import { rawRequest } from "../harness/raw-http.ts";
import { configuration, temporaryFolder } from "../harness/resources.ts";
import { startSentryProgram } from "../harness/sentry-program.ts";
import { freePort, startTestApp } from "../harness/test-app.ts";
import { startTestSidecar } from "../harness/test-sidecar.ts";
import { until } from "../harness/until.ts";

const DAPRD = process.env["OUTRIGGER_PEER_DAPRD"];

/** Resolves by `nameformat` to this machine, as an id that is the first part of its address. */
const THEIRS = "127";
const ROUNDS = 8;
const SEED = Number(process.env["PROPERTY_SEED"] ?? 20_261_122);
const START_MS_MAX = 30_000;

/** None with parameters: ours checks `/x;y` as `/x` too, and refuses where the rules allow one of them only. */
const NAMES = ["/a", "/a/*", "/a/**", "/b/*", "/*", "/**", "/a/b", "/a*", "/c/*/d", "/c/**/d", "/A/B", "/*z", "/"];
const PATHS = [
  "a",
  "a/b",
  "a/b/c",
  "b",
  "b/c",
  "b/c/d",
  "",
  "c/x/d",
  "c/*/d",
  "A/B",
  "abc",
  "z",
  "x;y",
  "q/r/s",
  "*",
  "a/*",
];

const action = fc.constantFrom("allow", "deny");
const operation = fc.record({
  name: fc.constantFrom(...NAMES),
  verb: fc.constantFrom("GET", "POST", "*"),
  action,
});
const accessControl = fc.record({
  global: action,
  own: fc.constantFrom("allow", "deny", ""),
  operations: fc.array(operation, { minLength: 1, maxLength: 5 }),
});

type AccessControl = typeof accessControl extends fc.Arbitrary<infer T> ? T : never;

function written({ global, own, operations }: AccessControl): string {
  const lines = operations.map(
    (each) => `      - { name: "${each.name}", httpVerb: ["${each.verb}"], action: ${each.action} }`,
  );
  return configuration(`  accessControl:
    defaultAction: ${global}
    policies:
    - appId: caller
      namespace: default
      trustDomain: public
      defaultAction: "${own}"
      operations:
${lines.join("\n")}
`);
}

test.skipIf(DAPRD === undefined)(
  `our access control answers every call as daprd's does${DAPRD === undefined ? " (OUTRIGGER_PEER_DAPRD names no program)" : ""}`,
  async () => {
    await using folder = await temporaryFolder();
    await using sentry = await startSentryProgram();
    await using app = await startTestApp({ answer: () => ({ body: "here" }) });
    const { mtls } = sentry;
    for (const rules of fc.sample(accessControl, { numRuns: ROUNDS, seed: SEED })) {
      const config = written(rules);
      const [http, grpc, internal, metrics] = [await freePort(), await freePort(), await freePort(), await freePort()];
      const daprd = spawn(
        DAPRD ?? "",
        [
          `--app-id=${THEIRS}`,
          `--app-port=${app.port}`,
          `--config=${await folder.write("config.txt", config)}`,
          `--dapr-http-port=${http}`,
          `--dapr-grpc-port=${grpc}`,
          `--dapr-internal-grpc-port=${internal}`,
          `--metrics-port=${metrics}`,
          "--enable-mtls",
          `--sentry-address=${mtls.sentryAddress}`,
        ],
        { env: { DAPR_TRUST_ANCHORS: mtls.trustAnchors, NAMESPACE: "default" }, stdio: "ignore" },
      );
      const ended = once(daprd, "exit");
      try {
        const deps = { shared: createSharedScope() };
        const names = configuration(
          `  nameResolution: { component: nameformat, configuration: { format: "{appid}.0.0.1:${internal}" } }\n`,
        );
        await using toTheirs = await startTestSidecar({ appId: "caller", mtls, deps, configuration: names });
        await using toOurs = await startTestSidecar({ appId: "caller", mtls, deps });
        await using _ours = await startTestSidecar({
          appId: "ours",
          appPort: app.port,
          mtls,
          deps,
          configuration: config,
        });
        const health = `http://127.0.0.1:${http}/v1.0/healthz`;
        await until("daprd is ready", () => fetch(health).then(({ ok }) => ok), START_MS_MAX);
        for (const path of PATHS) {
          for (const method of ["GET", "POST", "PUT"]) {
            const theirs = await rawRequest(toTheirs.url, { method, path: `/v1.0/invoke/${THEIRS}/method/${path}` });
            const ours = await rawRequest(toOurs.url, { method, path: `/v1.0/invoke/ours/method/${path}` });
            expect([method, path, rules, ours.status, ours.body]).toEqual([
              method,
              path,
              rules,
              theirs.status,
              theirs.body.replace(`id: ${THEIRS},`, "id: ours,"),
            ]);
          }
        }
      } finally {
        daprd.kill("SIGKILL");
        await ended;
      }
    }
  },
);
