import { listenText } from "../shared/listen-address.ts";
import type { RoleContext } from "../shared/types.ts";
import { createEtcdServer } from "./etcd/etcd-server.ts";
import { keepLeadership } from "./leadership.ts";
import { type SchedulerForm, type SchedulerOptions, collectStoreGauges, serve, type Undo } from "./scheduler-form.ts";
import type { WatchedKeyStore } from "./store/key-store.ts";
import { LeaseBook } from "./store/lease-book.ts";
import { openKeyStore } from "./store/open-key-store.ts";

/** One scheduler, its jobs in an SQLite file in its folder, which etcd clients can read and write too. */
export async function openSingleForm(
  options: SchedulerOptions,
  context: RoleContext,
  undo: Undo,
): Promise<SchedulerForm> {
  const { clock, random, logger } = context;
  const { id, broadcastAddress, txnOperationsMax: operationsMax } = options;
  const store = await openStore(options, context, undo);
  const leases = new LeaseBook(store, clock, random);
  undo.push(() => leases.close());
  return {
    store,
    failed: new Promise<never>(() => undefined),
    async begin({ engine, schedules, hosts }) {
      await engine.load();
      const clientUrl = `http://${listenText(options.etcdListenAddress, options.etcdPort)}`;
      const etcd = createEtcdServer({ store, leases, schedules, id, clientUrl, operationsMax });
      await serve(etcd, options.etcdListenAddress, options.etcdPort, context, undo);
      const cron = logger.scope("dapr.scheduler.server.cron");
      const deps = { store, leases, clock, random, logger: cron };
      undo.push(await keepLeadership({ id, address: broadcastAddress }, deps));
      hosts.hosts = [broadcastAddress];
      cron.info("Cron is ready");
    },
    leave: () => Promise.resolve(),
  };
}

async function openStore(options: SchedulerOptions, context: RoleContext, undo: Undo): Promise<WatchedKeyStore> {
  const { logger, clock, metrics } = context;
  const etcd = logger.scope("dapr.scheduler.server.etcd");
  const health = context.addHealthTarget("scheduler-etcd-embed");
  etcd.info(`Opening the store in ${options.dataDir}`);
  const store = await openKeyStore(options.dataDir, clock, options.spaceBytesMax);
  undo.push(async () => {
    health.notReady();
    await store.close();
    etcd.info("Etcd shut down");
  });
  collectStoreGauges(metrics, () => true, store);
  health.ready();
  return store;
}
