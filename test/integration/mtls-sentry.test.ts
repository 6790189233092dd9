import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { createSharedScope } from "../../src/inventory/shared-scope.ts";
import { startSentryProgram } from "../harness/sentry-program.ts";
import { startTestApp } from "../harness/test-app.ts";
import { startTestSidecar } from "../harness/test-sidecar.ts";
import { until } from "../harness/until.ts";

const SPEC = "  mtls: { enabled: true, workloadCertTTL: 4s, allowedClockSkew: 0s }\n";

it("our sentry's certificates are renewed every two seconds under load without a failed call", async () => {
  await using sentry = await startSentryProgram({ spec: SPEC });
  await using app = await startTestApp({ answer: () => ({ body: "ok" }) });
  const common = { deps: { shared: createSharedScope() }, mtls: sentry.mtls };
  await using callee = await startTestSidecar({ ...common, appId: "callee", appPort: app.port });
  await using caller = await startTestSidecar({ ...common, appId: "caller" });
  const renewed = ({ logger }: typeof caller): number =>
    logger.lines.filter(({ message }) => message.startsWith("Successfully renewed workload identity")).length;
  const answers = new Map<string, number>();
  let isOver = false;
  const calling = Array.from({ length: 4 }, async () => {
    while (!isOver) {
      const response = await caller.fetch("/v1.0/invoke/callee/method/x", { method: "POST", body: "x" });
      const answer = `${response.status} ${await response.text()}`;
      answers.set(answer, (answers.get(answer) ?? 0) + 1);
    }
  });
  await until("both have had three more certificates", () => renewed(callee) >= 3 && renewed(caller) >= 3, 30_000);
  isOver = true;
  await Promise.all(calling);
  expect([...answers.keys()]).toEqual(["200 ok"]);
});

it("a sidecar starts before its sentry, waits without opening a port, and goes on when it comes", async () => {
  await using first = await startSentryProgram();
  const { mtls } = first;
  await first.program.signal("SIGKILL");
  const starting = startTestSidecar({ appId: "early", mtls });
  const read = (name: string): Promise<string> => readFile(join(first.folder.path, name), "utf8");
  const files = {
    "ca.crt": mtls.trustAnchors,
    "issuer.crt": await read("issuer.crt"),
    "issuer.key": await read("issuer.key"),
  };
  await using second = await startSentryProgram({ files, flags: [`--port=${first.port}`] });
  await using sidecar = await starting;
  expect(second.port).toBe(first.port);
  expect((await sidecar.fetch("/v1.0/healthz")).status).toBe(204);
});
