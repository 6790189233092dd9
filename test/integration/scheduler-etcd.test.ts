import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { methodsOf } from "../../src/net/grpc/protobuf.ts";
import {
  AlarmRequestSchema,
  AlarmType,
  Compare_CompareResult,
  Compare_CompareTarget,
  DeleteRangeRequestSchema,
  KV,
  Lease,
  LeaseLeasesRequestSchema,
  LeaseRevokeRequestSchema,
  Maintenance,
  PutRequestSchema,
  RangeRequestSchema,
  StatusRequestSchema,
  TxnRequestSchema,
} from "../../src/wire/gen/etcdserverpb/rpc_pb.js";
import { type Folder, temporaryFolder } from "../harness/resources.ts";
import { schedulerPorts, SchedulerProgram } from "../harness/scheduler-program.ts";
import { until } from "../harness/until.ts";

const kv = methodsOf(KV);
const lease = methodsOf(Lease);
const maintenance = methodsOf(Maintenance);

const QUOTA_BYTES = 100_000;

let folder: Folder;
let scheduler: SchedulerProgram;

beforeAll(async () => {
  folder = await temporaryFolder();
  const flags = ["--id=one", "--etcd-initial-cluster=one=http://127.0.0.1:1", `--etcd-space-quota=${QUOTA_BYTES}`];
  scheduler = await new SchedulerProgram(folder.path, await schedulerPorts(), flags).ready();
});

afterAll(async () => {
  await scheduler[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

function bytes(text: string): Uint8Array {
  return Buffer.from(text);
}

/** The end of all keys that begin with a text in ASCII. */
function endOf(prefix: string): Uint8Array {
  return bytes(prefix.slice(0, -1) + String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1));
}

async function range(prefix: string, more: MessageInitShape<typeof RangeRequestSchema> = {}) {
  const request = create(RangeRequestSchema, { key: bytes(prefix), rangeEnd: endOf(prefix), ...more });
  return await scheduler.etcd.call(kv.range, request);
}

async function keys(prefix: string): Promise<readonly string[]> {
  return (await range(prefix)).kvs.map(({ key }) => Buffer.from(key).toString());
}

async function put(key: string, value: string): Promise<bigint> {
  const request = create(PutRequestSchema, { key: bytes(key), value: bytes(value) });
  return (await scheduler.etcd.call(kv.put, request)).header?.revision ?? 0n;
}

describe("etcd's API beside the scheduler", () => {
  it("shows who leads, jobs and counters under Dapr's keys", async () => {
    expect(await keys("dapr/leadership/")).toEqual(["dapr/leadership/one"]);
    await scheduler.schedule("often", { schedule: "@every 1ms", repeats: 5 });
    await scheduler.schedule("once", { dueTime: "1h" });
    expect(await keys("dapr/jobs")).toEqual(
      ["dapr/jobs/app||default||app||often", "dapr/jobs/app||default||app||once"].toSorted(),
    );
    const sidecar = scheduler.watch();
    await until("the job has come five times", () => sidecar.triggers.length === 5);
    await until("it is over", async () => (await keys("dapr/jobs")).length === 1);
    expect(await keys("dapr/counters")).toEqual([]);
    sidecar.leave();
  });

  it("gives revisions that only grow, and reads in pages", async () => {
    const revisions = [await put("page/a", "1"), await put("page/b", "2"), await put("page/a", "3")];
    expect(revisions).toEqual(revisions.toSorted((a, b) => Number(a - b)));
    expect(new Set(revisions).size).toBe(3);
    const first = await range("page/", { limit: 1n });
    expect(first).toMatchObject({ more: true, count: 2n });
    expect(first.kvs[0]).toMatchObject({ createRevision: revisions[0], modRevision: revisions[2], version: 2n });
    expect(await range("page/", { countOnly: true })).toMatchObject({ kvs: [], count: 2n });
    expect(
      await scheduler.etcd.failure(kv.range, create(RangeRequestSchema, { key: bytes("a"), revision: 1n })),
    ).toMatchObject({
      code: 11,
      message: "etcdserver: mvcc: required revision has been compacted",
    });
  });

  it("compares and changes in one step", async () => {
    const claim = (value: string) =>
      create(TxnRequestSchema, {
        compare: [
          {
            key: bytes("claim"),
            target: Compare_CompareTarget.CREATE,
            result: Compare_CompareResult.EQUAL,
            targetUnion: { case: "createRevision", value: 0n },
          },
        ],
        success: [{ request: { case: "requestPut", value: { key: bytes("claim"), value: bytes(value) } } }],
        failure: [{ request: { case: "requestRange", value: { key: bytes("claim") } } }],
      });
    const answers = await Promise.all(["a", "b", "c"].map((value) => scheduler.etcd.call(kv.txn, claim(value))));
    expect(answers.map(({ succeeded }) => succeeded).filter(Boolean)).toHaveLength(1);
    const lost = answers.find(({ succeeded }) => !succeeded);
    expect(lost?.responses[0]?.response.case).toBe("responseRange");
    const deleted = create(DeleteRangeRequestSchema, { key: bytes("claim"), prevKv: true });
    expect(await scheduler.etcd.call(kv.deleteRange, deleted)).toMatchObject({
      deleted: 1n,
      prevKvs: [{ version: 1n }],
    });
  });

  it("a job that is deleted here is not triggered, and one that is none is refused", async () => {
    await scheduler.schedule("doomed", { dueTime: "2s" });
    const request = create(DeleteRangeRequestSchema, { key: bytes("dapr/jobs/app||default||app||doomed") });
    expect((await scheduler.etcd.call(kv.deleteRange, request)).deleted).toBe(1n);
    const put = create(PutRequestSchema, { key: bytes("dapr/jobs/app||default||app||noise"), value: bytes("noise") });
    expect(await scheduler.etcd.failure(kv.put, put)).toMatchObject({
      code: 3,
      message: expect.stringContaining("would be no job that can be triggered") as string,
    });
    const sidecar = scheduler.watch();
    await scheduler.schedule("after", { dueTime: "2s" });
    await until("a later job has come", () => sidecar.names.includes("after"));
    expect(sidecar.names).toEqual(["after"]);
  });

  it("puts its leadership back when its lease is revoked", async () => {
    const { leases } = await scheduler.etcd.call(lease.leaseLeases, create(LeaseLeasesRequestSchema));
    expect(leases).toHaveLength(1);
    const [{ ID } = { ID: 0n }] = leases;
    await scheduler.etcd.call(lease.leaseRevoke, create(LeaseRevokeRequestSchema, { ID }));
    await until("it leads again", async () => (await keys("dapr/leadership/")).length === 1);
    expect(await scheduler.etcd.failure(lease.leaseRevoke, create(LeaseRevokeRequestSchema, { ID }))).toMatchObject({
      code: 5,
      message: "etcdserver: requested lease not found",
    });
  });

  it("takes nothing more at its quota until the alarm is disarmed", async () => {
    await put("fill/a", "x".repeat(QUOTA_BYTES / 2));
    const more = create(PutRequestSchema, { key: bytes("fill/b"), value: bytes("x".repeat(QUOTA_BYTES)) });
    const noSpace = { code: 8, message: "etcdserver: mvcc: database space exceeded" };
    expect(await scheduler.etcd.failure(kv.put, more)).toMatchObject(noSpace);
    const fill = create(DeleteRangeRequestSchema, { key: bytes("fill/"), rangeEnd: endOf("fill/") });
    expect((await scheduler.etcd.call(kv.deleteRange, fill)).deleted).toBe(1n);
    const small = create(PutRequestSchema, { key: bytes("fill/c"), value: bytes("small") });
    expect(await scheduler.etcd.failure(kv.put, small)).toMatchObject(noSpace);
    const { alarms } = await scheduler.etcd.call(maintenance.alarm, create(AlarmRequestSchema));
    expect(alarms.map(({ alarm }) => alarm)).toEqual([AlarmType.NOSPACE]);
    await scheduler.etcd.call(maintenance.alarm, create(AlarmRequestSchema, { action: 2, alarm: AlarmType.NOSPACE }));
    await scheduler.etcd.call(kv.put, small);
    const status = await scheduler.etcd.call(maintenance.status, create(StatusRequestSchema));
    expect(status.errors).toEqual([]);
    expect(status.version).toMatch(/^3\.5\./);
  });
});
