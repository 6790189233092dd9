import { expect, it } from "vitest";
import { startPlacementProgram } from "../harness/placement-program.ts";
import { component, configuration, temporaryFolder } from "../harness/resources.ts";
import { SchedulerProgram, schedulerPorts } from "../harness/scheduler-program.ts";
import { startSidecarProgram } from "../harness/sidecar-program.ts";
import { freePort, startTestApp } from "../harness/test-app.ts";
import { type CollectedSpan, startTraceCollector } from "../harness/trace-collector.ts";
import { until } from "../harness/until.ts";

const CALLER = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

it("actors, timers, reminders and jobs are traced, and so are placement and scheduler, by the environment alone", async () => {
  await using collector = await startTraceCollector();
  await using folder = await temporaryFolder();
  const env = {
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${collector.grpcPort}`,
    OTEL_RESOURCE_ATTRIBUTES: "service.namespace=test",
  };
  await using app = await startTestApp({ config: JSON.stringify({ entities: ["cart"] }) });
  {
    await using placement = await startPlacementProgram([], env);
    const scheduler = new SchedulerProgram(folder.path, await schedulerPorts(), [], env);
    await using _scheduler = scheduler;
    await scheduler.ready();
    const tracing = `  tracing: { samplingRate: "1", otel: { endpointAddress: "127.0.0.1:${collector.httpPort}", protocol: http, isSecure: false } }\n`;
    await using sidecar = await startSidecarProgram({
      resources: component("store", "state.in-memory", { actorStateStore: "true" }),
      configuration: configuration(tracing),
      flags: [
        `--app-port=${app.port}`,
        `--dapr-internal-grpc-port=${await freePort()}`,
        `--placement-host-address=${placement.address}`,
        `--scheduler-host-address=127.0.0.1:${scheduler.ports.api}`,
      ],
    });
    const post = (path: string, body: unknown): Promise<Response> =>
      sidecar.fetch(path, { method: "POST", body: JSON.stringify(body), headers: { traceparent: CALLER } });
    expect((await post("/v1.0/actors/cart/7/method/add", {})).status).toBe(200);
    expect((await post("/v1.0/actors/cart/7/timers/tick", { dueTime: "0s" })).status).toBe(204);
    expect((await post("/v1.0/actors/cart/7/reminders/bell", { dueTime: "0s" })).status).toBe(204);
    expect((await post("/v1.0/jobs/report", { dueTime: "0s", data: {} })).status).toBe(204);
    for (const path of ["/actors/cart/7/method/timer/tick", "/actors/cart/7/method/remind/bell", "/job/report"]) {
      await until(`the app is called at ${path}`, async () => app.at(path).length > 0);
    }
    await sidecar.program.signal("SIGTERM");
    await scheduler.program.signal("SIGTERM");
    await placement.program.signal("SIGTERM");
  }
  const find = (service: string, name: RegExp): CollectedSpan => {
    const found = collector.spans.find((span) => span.service === service && name.test(span.name));
    const seen = collector.spans.map((span) => `${span.service} ${span.name}`).join("\n");
    return found ?? expect.fail(`no ${service} ${String(name)} among\n${seen}`);
  };
  const traceOf = (path: string): string => String(app.at(path)[0]?.headers["traceparent"]);
  const called = find("test-app", /^CallActor\/cart\/add$/);
  expect(called).toMatchObject({ parentId: "00f067aa0ba902b7", attributes: { "dapr.actor": "cart.7" } });
  expect(traceOf("/actors/cart/7/method/add")).toBe(`00-${called.traceId}-${called.spanId}-01`);
  for (const [path, name] of [
    ["/actors/cart/7/method/timer/tick", /^CallActor\/cart\/timer\/tick$/],
    ["/actors/cart/7/method/remind/bell", /^CallActor\/cart\/remind\/bell$/],
    ["/job/report", /^jobs\/report$/],
  ] as const) {
    const span = find("test-app", name);
    expect([span.parentId, span.failure]).toEqual(["", undefined]);
    expect(traceOf(path)).toBe(`00-${span.traceId}-${span.spanId}-01`);
  }
  expect(find("dapr-placement", /^placement\/default$/).attributes).toMatchObject({ "placement.sidecars": "1" });
  const scheduled = find("test-app", /^\/v1\.0\/jobs\/report$/);
  const kept = collector.spans.filter(
    (span) => span.service === "dapr-scheduler" && span.name.endsWith("/ScheduleJob"),
  );
  expect(kept).toContainEqual(expect.objectContaining({ kind: "SERVER", parentId: scheduled.spanId }));
  expect(find("dapr-scheduler", /^trigger\/app\|\|default\|\|test-app\|\|report$/)).toMatchObject({
    kind: "PRODUCER",
    attributes: { "scheduler.result": "SUCCESS" },
  });
}, 60_000);
