import { create } from "@bufbuild/protobuf";
import { expect, it } from "vitest";
import { GetJobRequestSchema } from "../../src/wire/gen/dapr/proto/scheduler/v1/scheduler_pb.js";
import { temporaryFolder } from "../harness/resources.ts";
import {
  appMetadata,
  scheduleRequest,
  schedulerMethods,
  schedulerPorts,
  SchedulerProgram,
} from "../harness/scheduler-program.ts";
import { until } from "../harness/until.ts";

it("triggers jobs when they are due, never before, and says how many", async () => {
  await using folder = await temporaryFolder();
  await using scheduler = await new SchedulerProgram(folder.path, await schedulerPorts()).ready();
  const sidecar = scheduler.watch();
  const due = new Map<string, number>();
  for (let job = 0; job < 20; job += 1) {
    const dueMs = Date.now() + 50 * job;
    due.set(`job-${job}`, dueMs);
    await scheduler.schedule(`job-${job}`, { dueTime: new Date(dueMs).toISOString() });
  }
  await until("all have come", () => sidecar.triggers.length === due.size);
  expect(sidecar.triggers.filter(({ name, atMs }) => atMs < (due.get(name) ?? Infinity))).toEqual([]);
  expect(await scheduler.metric('dapr_scheduler_jobs_created_total{type="job"}')).toBe(20);
  await until(
    "all are counted",
    async () => (await scheduler.metric('dapr_scheduler_jobs_triggered_total{type="job"}')) === 20,
  );
  expect(await scheduler.metric("dapr_scheduler_sidecars_connected")).toBe(1);
});

it("keeps jobs over a restart, and delivers what was due meanwhile to whoever connects", async () => {
  await using folder = await temporaryFolder();
  const ports = await schedulerPorts();
  {
    await using first = await new SchedulerProgram(folder.path, ports).ready();
    await first.schedule("kept", { dueTime: "0s" });
    await first.schedule("later", { dueTime: "1h" });
    expect((await first.program.signal("SIGTERM")).code).toBe(0);
    expect(first.program.output).toContain("Scheduler service shut down gracefully");
  }
  await using second = await new SchedulerProgram(folder.path, ports).ready();
  const sidecar = second.watch();
  await until("the job has come", () => sidecar.names.includes("kept"));
  expect(sidecar.names).toEqual(["kept"]);
  const get = create(GetJobRequestSchema, { name: "later", metadata: appMetadata() });
  expect((await second.api.call(schedulerMethods.getJob, get)).job?.dueTime).toBe("1h");
});

it("answers faults with Dapr's codes and words", async () => {
  await using folder = await temporaryFolder();
  await using scheduler = await new SchedulerProgram(folder.path, await schedulerPorts()).ready();
  const { scheduleJob, getJob } = schedulerMethods;
  await scheduler.schedule("there", { dueTime: "1h" });
  expect(await scheduler.api.failure(scheduleJob, scheduleRequest("there", { dueTime: "1h" }))).toMatchObject({
    code: 6,
    message: "job already exists: 'app||default||app||there'",
  });
  await scheduler.schedule("there", { dueTime: "2h" }, true);
  expect(await scheduler.api.failure(scheduleJob, scheduleRequest("bad", {}))).toMatchObject({
    code: 2,
    message: "job failed validation: job must have either a due time or a schedule",
  });
  const unknown = create(GetJobRequestSchema, { name: "none", metadata: appMetadata() });
  expect(await scheduler.api.failure(getJob, unknown)).toMatchObject({ code: 5, message: "job not found: none" });
  const nobody = create(GetJobRequestSchema, { name: "none" });
  expect(await scheduler.api.failure(getJob, nobody)).toMatchObject({
    code: 3,
    message: "missing namespace or appID in request",
  });
});

it("ends every stream when it stops, also those that never said who they are", async () => {
  await using folder = await temporaryFolder();
  await using scheduler = await new SchedulerProgram(folder.path, await schedulerPorts()).ready();
  const [silent, connected] = [scheduler.watch(null), scheduler.watch()];
  await until(
    "a sidecar is connected",
    async () => (await scheduler.metric("dapr_scheduler_sidecars_connected")) === 1,
  );
  const end = await scheduler.program.signal("SIGINT");
  expect(end.code).toBe(0);
  expect(await connected.ended).toEqual({ code: 2, message: "server is closing" });
  expect(await silent.ended).toEqual({ code: 2, message: "server is closing" });
});

it("refuses what is no first message", async () => {
  await using folder = await temporaryFolder();
  await using scheduler = await new SchedulerProgram(folder.path, await schedulerPorts()).ready();
  expect(await scheduler.watch({ namespace: "" }).ended).toMatchObject({ code: 3 });
  expect(await scheduler.watch({ acceptJobTypes: [1, 1] }).ended).toEqual({
    code: 2,
    message: "duplicate target type specified: JOB_TARGET_TYPE_ACTOR_REMINDER",
  });
});

it("ends the stream of a sidecar that answers what it was not asked", async () => {
  await using folder = await temporaryFolder();
  await using scheduler = await new SchedulerProgram(folder.path, await schedulerPorts()).ready();
  const sidecar = scheduler.watch();
  sidecar.answer(999n);
  expect(await sidecar.ended).toEqual({ code: 1, message: "context canceled" });
  await scheduler.program.says("received unknown trigger response from stream");
  await until("it is counted, and gone", async () => {
    expect(await scheduler.metric('dapr_scheduler_sidecar_errors_total{reason="recv_failed"}')).toBe(1);
    expect(await scheduler.metric("dapr_scheduler_sidecars_connected")).toBe(0);
    return true;
  });
});

it("tells sidecars the address they are to connect to", async () => {
  await using folder = await temporaryFolder();
  const ports = await schedulerPorts();
  const flags = ["--override-broadcast-host-port=scheduler.example:1234"];
  await using scheduler = await new SchedulerProgram(folder.path, ports, flags).ready();
  expect(await scheduler.hosts()).toEqual(["scheduler.example:1234"]);
});
