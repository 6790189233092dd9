import { expect, it } from "vitest";
import { startSidecarProgram } from "../harness/sidecar-program.ts";
import { startTestApp } from "../harness/test-app.ts";
import { until } from "../harness/until.ts";

/** An app whose `/slow` is answered when `answer` is resolved. */
async function slowApp() {
  const answer = Promise.withResolvers<undefined>();
  const app = await startTestApp({
    answer: ({ url }) => (url === "/slow" ? answer.promise.then(() => ({ body: "done" })) : undefined),
  });
  return { app, answer };
}

it("SIGTERM lets the call under way end, and exits with 0", async () => {
  const { app, answer } = await slowApp();
  await using _app = app;
  await using one = await startSidecarProgram({
    flags: [`--app-port=${app.port}`, "--dapr-graceful-shutdown-seconds=60"],
  });
  const slow = one.fetch("/v1.0/invoke/test-app/method/slow");
  await until("the app has the call", () => app.at("/slow").length === 1);
  const ended = one.program.signal("SIGTERM");
  await one.program.says("Received signal 'terminated'; beginning shutdown");
  await one.program.says("Dapr is shutting down");
  answer.resolve(undefined);
  expect(await (await slow).text()).toBe("done");
  expect(await ended).toMatchObject({ code: 0 });
  expect(one.program.output).toContain("Daprd shutdown gracefully");
});

it("a second signal exits with 1 at once", async () => {
  const { app } = await slowApp();
  await using _app = app;
  await using one = await startSidecarProgram({
    flags: [`--app-port=${app.port}`, "--dapr-graceful-shutdown-seconds=600"],
  });
  const slow = one.fetch("/v1.0/invoke/test-app/method/slow").catch(() => "cut off");
  await until("the app has the call", () => app.at("/slow").length === 1);
  void one.program.signal("SIGINT");
  await one.program.says("Dapr is shutting down");
  expect(await one.program.signal("SIGINT")).toMatchObject({ code: 1 });
  expect(one.program.output).toContain("Received signal 'interrupt' during shutdown; exiting immediately");
  expect(await slow).toBe("cut off");
});

it("what does not end within the graceful shutdown period is cut off, with exit code 1", async () => {
  const { app } = await slowApp();
  await using _app = app;
  await using one = await startSidecarProgram({
    flags: [`--app-port=${app.port}`, "--dapr-graceful-shutdown-seconds=1"],
  });
  const slow = one.fetch("/v1.0/invoke/test-app/method/slow").catch(() => "cut off");
  await until("the app has the call", () => app.at("/slow").length === 1);
  expect(await one.program.signal("SIGTERM")).toMatchObject({ code: 1 });
  expect(one.program.output).toContain("Graceful shutdown timeout exceeded, forcing shutdown");
  expect(await slow).toBe("cut off");
});
