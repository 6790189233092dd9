import type { Logger } from "../../kit/logger.ts";
import { lockDirectory } from "../../storage/directory-lock.ts";
import type { RoleContext } from "../shared/types.ts";
import {
  type EtcdFolder,
  etcdFolder,
  holdsEtcd,
  makeEtcdFolder,
  readFormerUid,
  writeUid,
} from "./etcd-member/etcd-folder.ts";
import { type PeerTls, peerUrlOf } from "./etcd-member/etcd-arguments.ts";
import { startEtcdMember } from "./etcd-member/etcd-member.ts";
import { findEtcd } from "./etcd-member/etcd-program.ts";
import { LOCK_WAIT_MS } from "./limits.ts";
import { Agreement } from "./members/agreement.ts";
import { shareOfHost } from "./members/host-list.ts";
import { Membership } from "./members/membership.ts";
import {
  collectStoreGauges,
  type SchedulerForm,
  type SchedulerOptions,
  type SchedulerParts,
  type Undo,
} from "./scheduler-form.ts";
import { EtcdClient } from "./store/etcd-client.ts";
import { EtcdKeyStore } from "./store/etcd-key-store.ts";
import { EtcdLeases } from "./store/etcd-leases.ts";
import { EtcdUpkeep } from "./store/etcd-upkeep.ts";

/** Whether a scheduler is, or has been, one that keeps its jobs in an etcd. */
export function isClustered({ externalEtcd, initialCluster, dataDir, namespace, id }: SchedulerOptions): boolean {
  return externalEtcd !== undefined || initialCluster.length > 1 || holdsEtcd(etcdFolder(dataDir, namespace, id));
}

/** One of several schedulers, which share their jobs in an etcd: one elsewhere, or one of which each runs a member. */
export async function openClusterForm(
  options: SchedulerOptions,
  context: RoleContext,
  undo: Undo,
): Promise<SchedulerForm> {
  const { externalEtcd } = options;
  if (externalEtcd === undefined) {
    return await openEmbedded(options, context, undo);
  }
  context.logger.scope("dapr.scheduler.server.etcd").info("Using external Etcd database, will not start embedded Etcd");
  const client = clientOf(context, externalEtcd.endpoints, externalEtcd.credentials);
  return openOn(client, { isOwn: false, failed: new Promise<never>(() => undefined) }, options, context, undo);
}

async function openEmbedded(options: SchedulerOptions, context: RoleContext, undo: Undo): Promise<SchedulerForm> {
  const { id, dataDir, namespace, initialCluster, etcdListenAddress, etcdPort } = options;
  const peerTls = peerTlsOf(options);
  const { clock } = context;
  const logger = context.logger.scope("dapr.scheduler.server.etcd");
  // What is wrong with the command line is said before anything is made.
  peerUrlOf(id, initialCluster, peerTls);
  const program = await findEtcd(options.etcdBinary);
  const folder: EtcdFolder = etcdFolder(dataDir, namespace, id);
  makeEtcdFolder(dataDir, folder);
  const lock = lockDirectory(dataDir, LOCK_WAIT_MS);
  undo.push(() => lock.release());
  logger.info(`Starting embedded Etcd (${program.path}, its log is ${folder.log})`);
  const settings = {
    ...options,
    clientAddress: etcdListenAddress,
    clientPort: etcdPort,
    tuning: options.etcdTuning,
    peerTls,
  };
  const member = await startEtcdMember(settings, folder, program, { clock, logger });
  undo.push(async () => {
    await member.stop();
    logger.info("Etcd shut down");
  });
  const client = clientOf(context, [`${etcdListenAddress}:${etcdPort}`], undefined);
  return openOn(client, { isOwn: true, failed: member.failed }, options, context, undo);
}

/** The name that Dapr's sentry gives to all schedulers, whichever they are: etcd's older releases compare one. */
function peerTlsOf({ tls }: SchedulerOptions): PeerTls | undefined {
  return tls?.folder === undefined
    ? undefined
    : {
        folder: tls.folder,
        allowedHostname: `dapr-scheduler-server-0.dapr-scheduler-server.${tls.namespace}.svc.${tls.trustDomain}`,
      };
}

function clientOf(
  { clock, transport }: RoleContext,
  endpoints: readonly string[],
  credentials: NonNullable<SchedulerOptions["externalEtcd"]>["credentials"],
): EtcdClient {
  return new EtcdClient({ endpoints, credentials, clock, transport });
}

interface Etcd {
  /** Every member runs its own, in a folder that nobody else uses. */
  readonly isOwn: boolean;
  readonly failed: Promise<never>;
}

function openOn(
  client: EtcdClient,
  { isOwn, failed }: Etcd,
  options: SchedulerOptions,
  context: RoleContext,
  undo: Undo,
): SchedulerForm {
  const { clock, random, logger } = context;
  const store = new EtcdKeyStore(client, { clock, random, logger: logger.scope("dapr.scheduler.server.etcd") });
  undo.push(() => store.close());
  openUpkeep(client, store, isOwn, context, undo);

  const { id, dataDir, broadcastAddress } = options;
  let parts: SchedulerParts | undefined;
  const cron = logger.scope("dapr.scheduler.server.cron");
  const agreement = openAgreement(context, cron, undo);
  let isReady = false;
  const membership = new Membership(
    { id, address: broadcastAddress, formerUid: isOwn ? readFormerUid(dataDir) : undefined },
    {
      store,
      leases: new EtcdLeases(client, random),
      clock,
      random,
      logger: cron,
      duties: {
        elected: ({ partition, hosts }) => {
          agreement.reached(partition.total);
          // It reads the jobs for as long as it takes; a change of members meanwhile starts it anew.
          void parts?.engine.resume(partition);
          if (parts !== undefined) {
            parts.pool.share = shareOfHost(hosts, broadcastAddress);
            parts.hosts.hosts = hosts;
          }
          if (!isReady) {
            isReady = true;
            cron.info("Cron is ready");
          }
        },
        deposed: async () => {
          agreement.lost();
          await parts?.engine.suspend();
        },
      },
    },
  );
  if (isOwn) {
    writeUid(dataDir, membership.uid);
  }
  return {
    store,
    lease: membership,
    failed,
    begin: async (given) => {
      parts = given;
      membership.start();
    },
    leave: () => membership.close(),
  };
}

function openAgreement(context: RoleContext, logger: Logger, undo: Undo): Agreement {
  const { clock, metrics } = context;
  const agreement = new Agreement({ health: context.addHealthTarget("scheduler-members"), clock, logger });
  undo.push(() => agreement.close());
  metrics.collected(
    {
      kind: "gauge",
      name: "outrigger_scheduler_members",
      help: "Schedulers that have agreed on who triggers what, this one among them; 0 while they have not.",
      labels: [],
      own: true,
    },
    () => agreement.members,
  );
  return agreement;
}

function openUpkeep(client: EtcdClient, store: EtcdKeyStore, isOwn: boolean, context: RoleContext, undo: Undo): void {
  const { clock, logger, metrics } = context;
  const health = context.addHealthTarget(isOwn ? "scheduler-etcd-embed" : "scheduler-etcd-external");
  const upkeep = new EtcdUpkeep({
    client,
    store,
    health,
    clock,
    logger: logger.scope("dapr.scheduler.server.etcd"),
    isOwn,
  });
  undo.push(() => {
    health.notReady();
    upkeep.close();
  });
  collectStoreGauges(metrics, () => upkeep.isReachable, store);
}
