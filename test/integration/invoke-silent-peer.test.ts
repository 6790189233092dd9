import { join } from "node:path";
import { expect, it } from "vitest";
import { configuration, temporaryFolder } from "../harness/resources.ts";
import { startSidecarProgram } from "../harness/sidecar-program.ts";
import { startTestApp } from "../harness/test-app.ts";
import { startTestSidecar } from "../harness/test-sidecar.ts";
import { until } from "../harness/until.ts";

it("a call to a sidecar that falls silent ends when its keepalive has had no answer, and one to a slow app does not", async () => {
  await using folder = await temporaryFolder();
  const names = configuration(`  nameResolution:
    component: sqlite
    configuration: { connectionString: ${JSON.stringify(join(folder.path, "names.db"))} }
`);
  const slow = Promise.withResolvers<void>();
  await using app = await startTestApp({
    answer: async ({ url }) => {
      await slow.promise;
      return { body: `got ${url}` };
    },
  });
  await using caller = await startTestSidecar({ appId: "caller", configuration: names });
  await using _ = await startTestSidecar({ appId: "patient", appPort: app.port, configuration: names });
  await using silent = await startSidecarProgram({
    configuration: names,
    flags: [`--app-port=${app.port}`],
  });
  const waiting = caller.fetch("/v1.0/invoke/patient/method/slow");
  const hanging = caller.fetch("/v1.0/invoke/test-app/method/hangs");
  await until("both calls have reached the app", () => app.requests.length === 2);
  process.kill(silent.program.pid, "SIGSTOP");
  try {
    const response = await hanging;
    expect(response.status).toBe(500);
    expect(await response.json()).toMatchObject({ errorCode: "ERR_DIRECT_INVOKE" });
  } finally {
    process.kill(silent.program.pid, "SIGCONT");
  }
  slow.resolve();
  expect(await (await waiting).text()).toBe("got /slow");
});
