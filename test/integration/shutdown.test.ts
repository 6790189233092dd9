import { create } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { ShutdownRequestSchema } from "../../src/wire/gen/dapr/proto/runtime/v1/dapr_pb.js";
import { daprMethods } from "../harness/grpc-caller.ts";
import { startTestApp } from "../harness/test-app.ts";
import { startTestSidecar, type TestSidecar } from "../harness/test-sidecar.ts";
import { until } from "../harness/until.ts";

const DOORS: Readonly<Record<string, (one: TestSidecar, force: boolean) => Promise<unknown>>> = {
  async http(one, force) {
    const headers = force ? { "dapr-force-shutdown": "true" } : undefined;
    expect(
      (await one.fetch("/v1.0/shutdown", { method: "POST", ...(headers === undefined ? {} : { headers }) })).status,
    ).toBe(204);
  },
  grpc: (one, force) =>
    one.grpc.call(daprMethods.shutdown, create(ShutdownRequestSchema), force ? { "dapr-force-shutdown": "true" } : {}),
};

describe.each(Object.keys(DOORS))("the shutdown API over %s", (door) => {
  const shutdown = DOORS[door]!;

  it("drains and ends with 0", async () => {
    await using one = await startTestSidecar();
    await shutdown(one, false);
    expect(await one.sidecar.done).toEqual({ exitCode: 0 });
    await expect(one.fetch("/v1.0/healthz")).rejects.toThrow();
  });

  it("ends with 1 and without draining when forced", async () => {
    await using one = await startTestSidecar();
    await shutdown(one, true);
    expect(await one.sidecar.done).toEqual({ exitCode: 1 });
    expect(one.logger.said("Force shutdown requested, exiting immediately without graceful shutdown")).toBe(true);
  });
});

it("a request under way is answered before the end", async () => {
  const answer = Promise.withResolvers<undefined>();
  await using app = await startTestApp({
    answer: ({ url }) => (url === "/slow" ? answer.promise.then(() => ({ body: "done" })) : undefined),
  });
  await using one = await startTestSidecar({ appPort: app.port, gracefulShutdownMs: 60_000 });
  const slow = one.fetch("/v1.0/invoke/test-app/method/slow");
  await until("the app has the request", () => app.at("/slow").length === 1);
  const stopped = one.sidecar.stop("signal");
  await until("no new connection is taken", () =>
    one.fetch("/v1.0/healthz").then(
      () => false,
      () => true,
    ),
  );
  answer.resolve(undefined);
  expect(await (await slow).text()).toBe("done");
  await stopped;
  expect(await one.sidecar.done).toEqual({ exitCode: 0 });
});

it("what does not end within the grace period is cut off, with exit code 1", async () => {
  await using app = await startTestApp({
    answer: ({ url }) => (url === "/forever" ? new Promise(() => undefined) : undefined),
  });
  await using one = await startTestSidecar({ appPort: app.port, gracefulShutdownMs: 300 });
  const forever = one.fetch("/v1.0/invoke/test-app/method/forever").then(
    () => "answered",
    () => "cut off",
  );
  await until("the app has the request", () => app.at("/forever").length === 1);
  await one.sidecar.stop("signal");
  expect(await one.sidecar.done).toEqual({ exitCode: 1 });
  expect(one.logger.said("Graceful shutdown timeout exceeded, forcing shutdown")).toBe(true);
  expect(await forever).toBe("cut off");
});
