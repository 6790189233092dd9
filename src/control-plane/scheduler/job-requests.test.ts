import { create } from "@bufbuild/protobuf";
import { anyPack, StringValueSchema } from "@bufbuild/protobuf/wkt";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  DeleteByMetadataRequestSchema,
  DeleteByNamePrefixRequestSchema,
  GetJobRequestSchema,
  type JobMetadata,
  JobMetadataSchema,
  ListJobsRequestSchema,
} from "../../wire/gen/dapr/proto/scheduler/v1/scheduler_pb.js";
import { JOB_BYTES_MAX } from "./limits.ts";
import { actorMetadata, appMetadata, SchedulerBench } from "./scheduler-bench.fixture.ts";

let bench: SchedulerBench;

beforeEach(() => {
  bench = new SchedulerBench();
});

afterEach(async () => {
  await bench.close();
});

async function names(metadata: JobMetadata): Promise<readonly string[]> {
  const { jobs } = await bench.requests.list(create(ListJobsRequestSchema, { metadata }));
  return jobs.map(({ name }) => name);
}

describe("scheduling", () => {
  it.each([
    [{}, "job failed validation: job must have either a due time or a schedule"],
    [{ dueTime: "1s", repeats: 2 }, "job failed validation: job must have a schedule to repeat"],
    [{ schedule: "@daily", repeats: 0 }, "job failed validation: defined repeats must be greater than 0"],
    [{ dueTime: "1s", ttl: "1s" }, "job failed validation: job must have a schedule to have a ttl"],
    [{ dueTime: "tomorrow" }, "job failed validation: due time format not recognized"],
    [{ dueTime: "R2/PT1S" }, "job failed validation: repeats not supported for due time"],
    [{ schedule: "@daily", ttl: "tomorrow" }, "job failed validation: ttl format not recognized"],
    [{ schedule: "@daily", dueTime: "2s", ttl: "-1s" }, "job failed validation: ttl must be greater than due time"],
    [{ schedule: "* * * * *" }, "job failed validation: expected exactly 6 fields, found 5: [* * * * *]"],
    [{ schedule: "@never" }, "job failed validation: unrecognized descriptor: @never"],
    [{ schedule: "TZ=UTC" }, "job failed validation: timezone prefix TZ=UTC is not followed by a schedule"],
    [{ schedule: "0 0 0 30 2 *" }, "job failed validation: the schedule 0 0 0 30 2 * is never due"],
    [{ schedule: "@every -1s" }, "job failed validation: the period -1s is shorter than 0ms"],
  ])("refuses %j", async (job, message) => {
    await expect(bench.job("bad", job)).rejects.toMatchObject({ kind: "unknown", message });
    expect(bench.metric('dapr_scheduler_jobs_created_failed_total{type="job"}')).toBe(1);
  });

  it.each([
    ["a/b", "must not contain '/', '\\', '#' or '?'"],
    ["a\u0000", "must not contain control characters"],
    ["a".repeat(600), "must be at most 512 characters"],
  ])("refuses the name %j", async (name, rule) => {
    await expect(bench.job(name, { dueTime: "1s" })).rejects.toThrow(rule);
  });

  it("refuses a job that is too large, and says how large it may be", async () => {
    const data = anyPack(StringValueSchema, create(StringValueSchema, { value: "x".repeat(JOB_BYTES_MAX) }));
    await expect(bench.job("large", { dueTime: "1s", data })).rejects.toMatchObject({ kind: "limit" });
  });

  it("needs a namespace and an app", async () => {
    const metadata = create(JobMetadataSchema, { appId: "app", target: { type: { case: "job", value: {} } } });
    await expect(bench.schedule("job", { dueTime: "1s" }, metadata, false)).rejects.toMatchObject({
      kind: "invalid",
      message: "missing namespace or appID in request",
    });
    expect(bench.metric('dapr_scheduler_sidecar_errors_total{reason="auth_failed"}')).toBe(1);
    const nobody = create(JobMetadataSchema, { appId: "app", namespace: "ns" });
    await expect(bench.schedule("job", { dueTime: "1s" }, nobody, false)).rejects.toThrow("unknown job type: <nil>");
  });

  it("says which job is there already", async () => {
    await bench.job("twice", { dueTime: "1h" });
    await expect(bench.job("twice", { dueTime: "1h" })).rejects.toMatchObject({
      kind: "exists",
      message: "job already exists: 'app||ns||app||twice'",
    });
  });
});

describe("reading", () => {
  it("gives a job back as it was asked for, with the policy it got", async () => {
    const data = anyPack(StringValueSchema, create(StringValueSchema, { value: "hello" }));
    await bench.job("full", { schedule: "@every 20s", dueTime: "10s", ttl: "30s", repeats: 3, data });
    const { job } = await bench.requests.get(create(GetJobRequestSchema, { name: "full", metadata: appMetadata() }));
    expect(job).toMatchObject({ schedule: "@every 20s", dueTime: "10s", ttl: "30s", repeats: 3 });
    expect(job?.data?.typeUrl).toBe("type.googleapis.com/google.protobuf.StringValue");
    expect(job?.failurePolicy?.policy).toMatchObject({ case: "constant", value: { maxRetries: 3 } });
    await expect(
      bench.requests.get(create(GetJobRequestSchema, { name: "none", metadata: appMetadata() })),
    ).rejects.toMatchObject({ kind: "not found", message: "job not found: none" });
  });

  it("lists those of an app, an actor, or an actor type, by their own names", async () => {
    await bench.job("a||b", { dueTime: "1h" });
    await bench.schedule("other", { dueTime: "1h" }, appMetadata("ns", "app2"), false);
    await bench.schedule("r1", { dueTime: "1h" }, actorMetadata("type", "id||x"), false);
    await bench.schedule("r2", { dueTime: "1h" }, actorMetadata("type", "id"), false);
    await bench.schedule("r3", { dueTime: "1h" }, actorMetadata("type2", "id"), false);
    expect(await names(appMetadata())).toEqual(["a||b"]);
    expect(await names(actorMetadata("type", "id||x"))).toEqual(["r1"]);
    expect((await names(actorMetadata("type", ""))).toSorted()).toEqual(["r1", "r2"]);
  });
});

describe("deleting many", () => {
  it("takes the jobs of a target, or of all ids with a beginning, together with their counters", async () => {
    for (const id of ["abc", "abd", "x"]) {
      await bench.schedule("r", { dueTime: "1h" }, actorMetadata("type", id), false);
    }
    await bench.store.commit({
      apply: [{ kind: "put", key: "dapr/counters/actorreminder||ns||type||abc||r", value: new Uint8Array() }],
    });
    const metadata = actorMetadata("type", "ab");
    await bench.requests.deleteByMetadata(create(DeleteByMetadataRequestSchema, { metadata }));
    expect(await names(actorMetadata("type", ""))).toHaveLength(3);
    await bench.requests.deleteByMetadata(create(DeleteByMetadataRequestSchema, { metadata, idPrefixMatch: true }));
    expect(await names(actorMetadata("type", ""))).toHaveLength(1);
    expect(await bench.store.get("dapr/counters/actorreminder||ns||type||abc||r")).toBeUndefined();
    expect(bench.metric("dapr_scheduler_jobs_bulk_deleted_total")).toBe(2);
    expect(bench.engine.size).toBe(1);
  });

  it("takes the jobs whose names begin so", async () => {
    await bench.job("red-1", { dueTime: "1h" });
    await bench.job("red-2", { dueTime: "1h" });
    await bench.job("blue", { dueTime: "1h" });
    const metadata = appMetadata();
    await bench.requests.deleteByNamePrefix(create(DeleteByNamePrefixRequestSchema, { metadata, namePrefix: "red-" }));
    expect(await names(metadata)).toEqual(["blue"]);
    await bench.requests.deleteByNamePrefix(create(DeleteByNamePrefixRequestSchema, { metadata, namePrefix: "" }));
    expect(await names(metadata)).toEqual([]);
  });
});
