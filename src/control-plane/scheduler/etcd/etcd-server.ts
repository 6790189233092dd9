import { create } from "@bufbuild/protobuf";
import { methodsOf } from "../../../net/grpc/protobuf.ts";
import { GrpcServer } from "../../../net/grpc/server.ts";
import {
  type AlarmRequest,
  AlarmRequest_AlarmAction,
  type AlarmResponse,
  AlarmResponseSchema,
  AlarmType,
  Cluster,
  CompactionResponseSchema,
  DefragmentResponseSchema,
  KV,
  Lease,
  Maintenance,
  MemberListResponseSchema,
  StatusResponseSchema,
  Watch,
} from "../../../wire/gen/etcdserverpb/rpc_pb.js";
import { readPlan } from "../jobs/read-job.ts";
import type { ScheduleCache } from "../jobs/schedule-cache.ts";
import { JobError } from "../jobs/job-error.ts";
import { JOB_BYTES_MAX, REQUEST_BYTES_MAX } from "../limits.ts";
import { type KeyStore, KeyStoreError, type WatchedKeyStore } from "../store/key-store.ts";
import { JOBS } from "../store/keys.ts";
import type { LeaseBook } from "../store/lease-book.ts";
import { etcdErrors, etcdStatusOf } from "./etcd-errors.ts";
import { headerOf, MEMBER_ID, RAFT_TERM } from "./etcd-values.ts";
import { LeaseService } from "./lease-service.ts";
import { readRange } from "./range.ts";
import { Transactions } from "./transaction.ts";
import { watchKeys } from "./watch-service.ts";

/** The version that clients are told, whose API this is a part of. */
const ETCD_VERSION = "3.5.30";

/** What etcd clients are served from. */
export interface EtcdServerDeps {
  readonly store: WatchedKeyStore;
  readonly leases: LeaseBook;
  readonly schedules: ScheduleCache;
  /** The member's name. */
  readonly id: string;
  /** Where clients reach it, as a URL. */
  readonly clientUrl: string;
  /** Operations of one transaction. */
  readonly operationsMax: number;
}

/**
 * etcd's v3 API on the scheduler's store, for Dapr's CLI and for tools: keys, watches, leases, and what maintenance asks
 * for. Revisions grow with every commit; older ones are not kept.
 */
export function createEtcdServer(deps: EtcdServerDeps): GrpcServer {
  const { store, leases } = deps;
  const server = new GrpcServer({ messageBytesMax: REQUEST_BYTES_MAX, mapError: etcdStatusOf });
  const alarm = new SpaceAlarm(store);
  const transactions = new Transactions(store, {
    operationsMax: deps.operationsMax,
    hasLease: (id) => leases.get(id) !== undefined,
    isFull: () => alarm.armed,
    onFull: (error) => alarm.hear(error),
    checkPut: (key, value) => checkPut(key, value, deps.schedules),
  });
  const lease = new LeaseService(store, leases);
  server.addService(methodsOf(KV), {
    range: (request) => readRange(store, request),
    put: (request) => transactions.put(request),
    deleteRange: (request) => transactions.deleteRange(request),
    txn: (request) => transactions.txn(request),
    compact: () => create(CompactionResponseSchema, { header: headerOf(store) }),
  });
  server.addService(methodsOf(Watch), { watch: (requests, call) => watchKeys(requests, call, store) });
  server.addService(methodsOf(Lease), {
    leaseGrant: (request) => lease.grant(request),
    leaseRevoke: (request) => lease.revoke(request),
    leaseKeepAlive: (requests) => lease.keepAlive(requests),
    leaseTimeToLive: (request) => lease.timeToLive(request),
    leaseLeases: () => lease.all(),
  });
  addMaintenance(server, deps, alarm);
  return server;
}

function addMaintenance(server: GrpcServer, { store, id, clientUrl }: EtcdServerDeps, alarm: SpaceAlarm): void {
  server.addService(methodsOf(Cluster), {
    memberList: () =>
      create(MemberListResponseSchema, {
        header: headerOf(store),
        members: [{ ID: MEMBER_ID, name: id, clientURLs: [clientUrl] }],
      }),
  });
  server.addService(methodsOf(Maintenance), {
    alarm: (request) => alarm.answer(request),
    status: () => {
      const bytes = BigInt(store.bytes);
      const index = BigInt(store.revision);
      return create(StatusResponseSchema, {
        header: headerOf(store),
        version: ETCD_VERSION,
        dbSize: bytes,
        dbSizeInUse: bytes,
        leader: MEMBER_ID,
        raftIndex: index,
        raftAppliedIndex: index,
        raftTerm: RAFT_TERM,
        errors: alarm.armed ? [`memberID:${MEMBER_ID} alarm:NOSPACE `] : [],
      });
    },
    defragment: () => create(DefragmentResponseSchema, { header: headerOf(store) }),
  });
}

/** A job that could not be triggered is refused, whichever way it comes. */
function checkPut(key: string, value: Uint8Array, schedules: ScheduleCache): void {
  if (!key.startsWith(JOBS)) {
    return;
  }
  if (value.length > JOB_BYTES_MAX) {
    throw etcdErrors.tooLarge(`the job has ${value.length} bytes, and a scheduler stores at most ${JOB_BYTES_MAX}`);
  }
  try {
    readPlan(key.slice(JOBS.length), value, schedules);
  } catch (error) {
    if (error instanceof JobError) {
      throw etcdErrors.invalid(`${key} would be no job that can be triggered: ${error.message}`);
    }
    throw error;
  }
}

/** etcd's NOSPACE: once the quota has been reached nothing is put until somebody disarms it. */
class SpaceAlarm {
  readonly #store: KeyStore;
  armed = false;

  constructor(store: KeyStore) {
    this.#store = store;
  }

  hear(error: unknown): void {
    this.armed ||= error instanceof KeyStoreError && error.kind === "no space";
  }

  answer({ action, alarm }: AlarmRequest): AlarmResponse {
    const alarms = (): { memberID: bigint; alarm: AlarmType }[] =>
      this.armed ? [{ memberID: MEMBER_ID, alarm: AlarmType.NOSPACE }] : [];
    let answered = alarms();
    if (action === AlarmRequest_AlarmAction.DEACTIVATE && alarm === AlarmType.NOSPACE) {
      this.armed = false;
    } else if (action === AlarmRequest_AlarmAction.ACTIVATE && alarm === AlarmType.NOSPACE) {
      this.armed = true;
      answered = alarms();
    }
    return create(AlarmResponseSchema, { header: headerOf(this.#store), alarms: answered });
  }
}
