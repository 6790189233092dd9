import type { GrpcServer } from "../../net/grpc/server.ts";
import { type Listener, listen, type MutualTls } from "../../net/http/listener.ts";
import { listenAddress } from "../shared/listen-address.ts";
import type { RoleTls } from "../shared/role-identity.ts";
import type { RoleContext } from "../shared/types.ts";
import type { EtcdTuning } from "./etcd-member/etcd-arguments.ts";
import type { ScheduleCache } from "./jobs/schedule-cache.ts";
import { STOP_GRACE_MS } from "./limits.ts";
import type { HostList } from "./members/host-list.ts";
import type { StreamPool } from "./sidecars/stream-pool.ts";
import type { EtcdCredentials } from "./store/etcd-client.ts";
import type { KeyStore } from "./store/key-store.ts";
import type { TriggerEngine } from "./triggers/trigger-engine.ts";

/** What a scheduler is started with. */
export interface SchedulerOptions {
  readonly id: string;
  /** Undefined: sidecars connect in plain text. */
  readonly tls?: RoleTls | undefined;
  /** Port and address for sidecars; port 0 is any free one, an empty address every interface. */
  readonly port: number;
  readonly listenAddress: string;
  /** host:port that sidecars are told to connect to. */
  readonly broadcastAddress: string;
  readonly dataDir: string;
  /** Of this process, which Dapr's schedulers have in the names of their folders. */
  readonly namespace: string;
  /** For etcd clients. */
  readonly etcdPort: number;
  readonly etcdListenAddress: string;
  /** All members as `id=url`; with one the scheduler runs alone, on SQLite. */
  readonly initialCluster: readonly string[];
  /** An etcd elsewhere, instead of a store of our own. */
  readonly externalEtcd?: ExternalEtcd | undefined;
  /** The etcd that members run; undefined: where packages put it. */
  readonly etcdBinary?: string | undefined;
  readonly etcdTuning: EtcdTuning;
  /** Bytes of all keys and values. */
  readonly spaceBytesMax: number;
  readonly txnOperationsMax: number;
  /** Reminders of one actor; 0: no limit. */
  readonly actorRemindersMax: number;
  /** Shown in a log line that is compared with Dapr's; this scheduler needs no workers. */
  readonly workers: number;
  /** Where the cron library of Dapr's scheduler writes its JSON lines: standard error. */
  readonly diagnostics: (line: string) => void;
}

export interface ExternalEtcd {
  readonly endpoints: readonly string[];
  readonly credentials?: EtcdCredentials | undefined;
}

/** Steps that undo a start, last first. */
export type Undo = (() => Promise<void> | void)[];

/** What is the same whether a scheduler is alone or one of several. */
export interface SchedulerParts {
  readonly engine: TriggerEngine;
  readonly pool: StreamPool;
  readonly schedules: ScheduleCache;
  readonly hosts: HostList;
}

/** Where a scheduler keeps its jobs, and which of them are its own. */
export interface SchedulerForm {
  readonly store: KeyStore;
  readonly lease?: { holds(): boolean };
  /** Rejects with what ended it from inside. */
  readonly failed: Promise<never>;
  begin(parts: SchedulerParts): Promise<void>;
  /** Before sidecars are cut off: others may have its jobs. */
  leave(): Promise<void>;
}

const KEEPALIVE = { keepaliveMs: 3_000, keepaliveTimeoutMs: 5_000 } as const;

/** Opens a port for a gRPC server. @returns the port */
export async function serve(
  server: GrpcServer,
  host: string,
  port: number,
  { transport, logger }: RoleContext,
  undo: Undo,
  mutualTls?: MutualTls,
): Promise<number> {
  const listener: Listener = await listen(listenAddress(host, port), {
    h2: transport.createServer(server.accept, KEEPALIVE),
    mutualTls,
  });
  undo.push(async () => {
    await Promise.all([server.close(STOP_GRACE_MS), listener.close(STOP_GRACE_MS)]);
    logger.scope("dapr.scheduler.server").info(`Scheduler GRPC server stopped on port ${listener.port}`);
  });
  return listener.port;
}

/** etcd's own gauges of a store, which dashboards of Dapr's schedulers look at. */
export function collectStoreGauges(
  metrics: RoleContext["metrics"],
  hasLeader: () => boolean,
  store: { readonly bytes: number },
): void {
  metrics.collected(
    { kind: "gauge", name: "etcd_server_has_leader", help: "Whether the store has a leader.", labels: [] },
    () => (hasLeader() ? 1 : 0),
  );
  metrics.collected(
    {
      kind: "gauge",
      name: "etcd_mvcc_db_total_size_in_bytes",
      help: "Bytes of all keys and values in the store.",
      labels: [],
    },
    () => store.bytes,
  );
}
