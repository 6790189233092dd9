import { expect, it } from "vitest";
import { freePort, startTestApp } from "../harness/test-app.ts";
import { component } from "../harness/resources.ts";
import { startTestSidecar } from "../harness/test-sidecar.ts";

it("healthz waits for the app, healthz/outbound does not", async () => {
  const port = await freePort();
  await using one = await startTestSidecar({ appPort: port }, false);
  const early = await one.fetch("/v1.0/healthz");
  expect(early.status).toBe(500);
  expect(await early.json()).toEqual({ errorCode: "ERR_HEALTH_NOT_READY", message: "dapr is not ready: [runtime]" });
  expect((await one.fetch("/v1.0/healthz/outbound")).status).toBe(204);
  await using _app = await startTestApp({ port });
  await one.sidecar.ready;
  expect((await one.fetch("/v1.0/healthz")).status).toBe(204);
  expect((await one.fetch("/v1.0/healthz?appid=other")).status).toBe(500);
});

it("a sidecar stopped while it waits for its app ends well and is never ready", async () => {
  const one = await startTestSidecar({ appPort: await freePort() }, false);
  await one.stop();
  await expect(one.sidecar.ready).rejects.toThrow("the sidecar is stopping");
  expect(await one.sidecar.done).toEqual({ exitCode: 0 });
});

it("a component that does not come up ends the start, and closes what was open", async () => {
  await expect(startTestSidecar({ resources: component("broken", "state.nothing") })).rejects.toThrow(
    /broken.*state\.nothing/,
  );
});
