import { describe, expect, it } from "vitest";
import { GRPC_STATUS } from "../../errors/grpc-status.ts";
import { silentLogger } from "../../kit/silent-logger.ts";
import { GrpcError } from "../../net/grpc/status.ts";
import type { SchedulerCalls } from "../../scheduling/types.ts";
import { createJobsBlock } from "./jobs-block.ts";

const identity = { appId: "app", namespace: "ns", logger: silentLogger };

function setUp(failure?: Error) {
  const asked: unknown[][] = [];
  const answer = <T>(value: T, ...call: unknown[]): Promise<T> => {
    asked.push(call);
    return failure === undefined ? Promise.resolve(value) : Promise.reject(failure);
  };
  const scheduler: SchedulerCalls = {
    addresses: [],
    schedule: (...call) => answer(undefined, "schedule", ...call),
    get: (...call) => answer({ schedule: "@daily" }, "get", ...call),
    list: (...call) => answer([{ name: "a" }], "list", ...call),
    delete: (...call) => answer(undefined, "delete", ...call),
    deleteByPrefix: (...call) => answer(undefined, "deleteByPrefix", ...call),
  };
  return { asked, block: createJobsBlock({ ...identity, scheduler }) };
}

const app = { kind: "app" };
const job = { name: "j", schedule: "@daily" };

describe("jobs", () => {
  it("go to the scheduler as the app's", async () => {
    const { asked, block } = setUp();
    const trace = { traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", tracestate: "" };
    await block.schedule({ job, overwrite: true, trace });
    expect(await block.get("j")).toEqual({ name: "j", schedule: "@daily" });
    expect(await block.list()).toEqual([{ name: "a" }]);
    await block.delete("j");
    await block.deleteByPrefix("p");
    expect(asked).toEqual([
      ["schedule", app, job, true, undefined, trace],
      ["get", app, "j", undefined],
      ["list", app, undefined],
      ["delete", app, "j", undefined],
      ["deleteByPrefix", app, "p", undefined],
    ]);
  });

  it.each([
    [{ job: undefined, overwrite: false }, "Job is empty", "DAPR_SCHEDULER_EMPTY"],
    [{ job: { name: "" }, overwrite: false }, "Name is empty", "DAPR_SCHEDULER_JOB_NAME_EMPTY"],
    [{ job: { name: "j", repeats: 1 }, overwrite: false }, "Schedule is empty", "DAPR_SCHEDULER_SCHEDULE_EMPTY"],
  ])("without what they need are refused: %j", async (request, message, code) => {
    const { asked, block } = setUp();
    await expect(block.schedule(request)).rejects.toMatchObject({
      message,
      httpStatus: 400,
      grpcStatus: GRPC_STATUS.INVALID_ARGUMENT,
      entry: { code, category: "job" },
      details: [{ kind: "ErrorInfo", reason: code, domain: "dapr.io", metadata: { appID: "app", namespace: "ns" } }],
    });
    expect(asked).toEqual([]);
  });

  it("with two names are refused", async () => {
    await expect(setUp().block.schedule({ job, overwrite: false, nameInBody: "k" })).rejects.toMatchObject({
      message: "Set the job name in the url only",
      details: [{ reason: "DAPR_SCHEDULER_JOB_NAME", metadata: { appID: "app" } }],
    });
  });

  it("without a name are neither read nor deleted", async () => {
    await expect(setUp().block.get("")).rejects.toThrow("Name is empty");
    await expect(setUp().block.delete("")).rejects.toThrow("Name is empty");
  });

  it.each([
    [
      new GrpcError(GRPC_STATUS.ALREADY_EXISTS, "there"),
      409,
      GRPC_STATUS.ALREADY_EXISTS,
      "rpc error: code = AlreadyExists desc = there",
    ],
    [new GrpcError(GRPC_STATUS.UNKNOWN, "odd"), 500, GRPC_STATUS.INTERNAL, "rpc error: code = Unknown desc = odd"],
    [new Error("context deadline exceeded"), 500, GRPC_STATUS.INTERNAL, "context deadline exceeded"],
  ])("that the scheduler refuses take its status: %s", async (failure, httpStatus, grpcStatus, reason) => {
    await expect(setUp(failure).block.schedule({ job, overwrite: false })).rejects.toMatchObject({
      message: `failed to schedule job due to: ${reason}`,
      httpStatus,
      grpcStatus,
      entry: { code: "DAPR_SCHEDULER_SCHEDULE_JOB" },
    });
  });

  it("that cannot be read, listed or deleted are internal errors", async () => {
    const { block } = setUp(new GrpcError(GRPC_STATUS.NOT_FOUND, "no"));
    const internal = { httpStatus: 500, grpcStatus: GRPC_STATUS.INTERNAL };
    const reason = "rpc error: code = NotFound desc = no";
    await expect(block.get("j")).rejects.toMatchObject({ ...internal, message: `failed to get job due to: ${reason}` });
    await expect(block.list()).rejects.toMatchObject({ ...internal, message: `failed to list jobs due to: ${reason}` });
    const deletion = { ...internal, message: `failed to delete job due to: ${reason}` };
    await expect(block.delete("j")).rejects.toMatchObject(deletion);
    await expect(block.deleteByPrefix("")).rejects.toMatchObject(deletion);
  });

  it("are not there without a scheduler", async () => {
    const block = createJobsBlock({ ...identity, scheduler: undefined });
    await expect(block.schedule({ job, overwrite: false })).rejects.toMatchObject({
      message: "failed to schedule job due to: scheduler clients are disabled",
      grpcStatus: GRPC_STATUS.INTERNAL,
    });
  });
});
