import { create, toBinary } from "@bufbuild/protobuf";
import { ValueSchema } from "@bufbuild/protobuf/wkt";
import { expect, it } from "vitest";
import {
  type JobEventRequest,
  JobEventResponseSchema,
} from "../../src/wire/gen/dapr/proto/runtime/v1/appcallback_pb.js";
import { startGrpcApp } from "../harness/grpc-app.ts";
import { heldClock } from "../harness/held-clock.ts";
import { type SchedulerDouble, startSchedulerDouble, type WatchingSidecar } from "../harness/scheduler-double.ts";
import { startTestApp } from "../harness/test-app.ts";
import { startTestSidecar } from "../harness/test-sidecar.ts";
import { until } from "../harness/until.ts";

const watching = (scheduler: SchedulerDouble): Promise<WatchingSidecar> =>
  until("the sidecar takes triggers", () => scheduler.sidecars[0]);

const settings = (scheduler: SchedulerDouble) => ({
  scheduler: { addresses: [scheduler.address], jobStreams: 1 },
});

it("an HTTP app gets its jobs on their paths, JSON as JSON and anything else as it is", async () => {
  await using scheduler = await startSchedulerDouble();
  await using app = await startTestApp();
  await using sidecar = await startTestSidecar({ ...settings(scheduler), appPort: app.port, appToken: "secret" });
  const watcher = await watching(scheduler);
  expect(watcher.initial).toMatchObject({ appId: "test-app", namespace: "default", acceptJobTypes: [0] });
  const value = toBinary(ValueSchema, create(ValueSchema, { kind: { case: "stringValue", value: "hi" } }));
  expect(await watcher.trigger("a b", { typeUrl: "type.googleapis.com/google.protobuf.Value", value })).toBe("SUCCESS");
  expect(await watcher.trigger("raw", { typeUrl: "my.Type", value: Buffer.from(" {} ") })).toBe("SUCCESS");
  expect(await watcher.trigger("none")).toBe("SUCCESS");
  expect(app.at("/job/a%20b")).toMatchObject([
    { method: "POST", body: '"hi"', headers: { "content-type": "application/json", "dapr-api-token": "secret" } },
  ]);
  expect(app.at("/job/raw")[0]?.body).toBe("{}");
  expect(app.at("/job/none")[0]?.body).toBe("");
  expect(sidecar.logger.lines.filter(({ level }) => level === "error")).toEqual([]);
});

it("an app that does not know a job is not asked again, any other failure is left to the job's policy", async () => {
  await using scheduler = await startSchedulerDouble();
  await using app = await startTestApp({
    answer: ({ url }) => ({ status: url === "/job/unknown" ? 404 : url === "/job/broken" ? 500 : 200 }),
  });
  await using sidecar = await startTestSidecar({
    ...settings(scheduler),
    appPort: app.port,
    metrics: { enabled: true, port: 0, listenAddress: "127.0.0.1" },
  });
  const watcher = await watching(scheduler);
  const outcomes = ["unknown", "broken", "fine"].map((name) => watcher.trigger(name));
  expect(await Promise.all(outcomes)).toEqual(["SUCCESS", "FAILED", "SUCCESS"]);
  const metrics = await (await fetch(`http://127.0.0.1:${sidecar.sidecar.ports.metrics ?? 0}/metrics`)).text();
  const labels = 'app_id="test-app",namespace="",operation="job_trigger_op"';
  expect(metrics).toContain(`dapr_component_job_success_count{${labels}} 1`);
  expect(metrics).toContain(`dapr_component_job_failure_count{${labels}} 2`);
  expect(sidecar.logger.said("triggered job unknown. status code returned: 5")).toBe(true);
});

it("a gRPC app gets OnJobEvent", async () => {
  const events: JobEventRequest[] = [];
  await using scheduler = await startSchedulerDouble();
  await using app = await startGrpcApp({
    onJobEvent(request) {
      events.push(request);
      return create(JobEventResponseSchema);
    },
  });
  await using _sidecar = await startTestSidecar({ ...settings(scheduler), appPort: app.port, appProtocol: "grpc" });
  const watcher = await watching(scheduler);
  expect(await watcher.trigger("j", { typeUrl: "my.Type", value: Buffer.from("x") })).toBe("SUCCESS");
  expect(events).toMatchObject([
    { name: "j", method: "job/j", contentType: "my.Type", data: { typeUrl: "my.Type", value: Buffer.from("x") } },
  ]);
});

it("a gRPC app that knows no jobs at all fails them", async () => {
  await using scheduler = await startSchedulerDouble();
  await using app = await startGrpcApp({});
  await using _sidecar = await startTestSidecar({ ...settings(scheduler), appPort: app.port, appProtocol: "grpc" });
  expect(await (await watching(scheduler)).trigger("j")).toBe("FAILED");
});

it("without an app no triggers are taken", async () => {
  await using scheduler = await startSchedulerDouble();
  await using sidecar = await startTestSidecar(settings(scheduler));
  await until("the scheduler is found", async () => (await sidecar.fetch("/v1.0/healthz")).status === 204);
  expect(scheduler.sidecars).toEqual([]);
});

it("an unhealthy app gets none until it is well again", async () => {
  await using scheduler = await startSchedulerDouble();
  let healthy = true;
  await using app = await startTestApp({
    answer: ({ url }) => ({ status: url === "/healthz" && !healthy ? 503 : 200 }),
  });
  const appHealth = { enabled: true, path: "/healthz", probeIntervalMs: 21, probeTimeoutMs: 21, threshold: 1 };
  await using _sidecar = await startTestSidecar({
    ...settings(scheduler),
    appPort: app.port,
    appHealth,
    // No probe takes too long, however long it takes.
    deps: { clock: heldClock(appHealth.probeTimeoutMs) },
  });
  await watching(scheduler);
  healthy = false;
  await until("no more triggers are taken", () => scheduler.sidecars.length === 0);
  healthy = true;
  expect(await (await watching(scheduler)).trigger("j")).toBe("SUCCESS");
});

it("a trigger under way is answered before the sidecar goes", async () => {
  await using scheduler = await startSchedulerDouble();
  const arrived = Promise.withResolvers<void>();
  const release = Promise.withResolvers<void>();
  await using app = await startTestApp({
    async answer({ url }) {
      if (url === "/job/slow") {
        arrived.resolve();
        await release.promise;
      }
      return undefined;
    },
  });
  await using sidecar = await startTestSidecar({ ...settings(scheduler), appPort: app.port });
  const watcher = await watching(scheduler);
  const outcome = watcher.trigger("slow");
  await arrived.promise;
  const stopped = sidecar.stop();
  const late = watcher.trigger("late");
  release.resolve();
  expect(await outcome).toBe("SUCCESS");
  expect(await late).toBe(undefined);
  await stopped;
  expect(app.at("/job/late")).toEqual([]);
});
