import { create } from "@bufbuild/protobuf";
import type { HealthTarget } from "../../../blocks/control/health.ts";
import { type Clock, sleep } from "../../../kit/clock.ts";
import { errorMessage } from "../../../kit/error-message.ts";
import type { Logger } from "../../../kit/logger.ts";
import { methodsOf } from "../../../net/grpc/protobuf.ts";
import {
  DefragmentRequestSchema,
  KV,
  Maintenance,
  RangeRequestSchema,
  StatusRequestSchema,
} from "../../../wire/gen/etcdserverpb/rpc_pb.js";
import type { EtcdClient } from "./etcd-client.ts";
import type { EtcdKeyStore } from "./etcd-key-store.ts";
import { LEADERSHIP } from "./keys.ts";

const KEYS = methodsOf(KV);
const MAINTENANCE = methodsOf(Maintenance);

/** How often etcd is looked at, how long it may take, and how many looks in a row may fail. */
const LOOK_MS = 1_000;
const LOOK_MS_MAX = 3_000;
const FAILURES_MAX = 2;
/** How often its size is asked for, and how often its free space is given back, as in Dapr. */
const SIZE_MS = 10_000;
const DEFRAGMENT_MS = 600_000;
const DEFRAGMENT_CALL_MS_MAX = 300_000;

export interface EtcdUpkeepDeps {
  readonly client: EtcdClient;
  readonly store: EtcdKeyStore;
  readonly health: HealthTarget;
  readonly clock: Clock;
  readonly logger: Logger;
  /** It is a member of our own, whose free space nobody else gives back. */
  readonly isOwn: boolean;
}

/** Looks whether the etcd answers reads that a majority of its members confirms, and turns health red when it does not. */
export class EtcdUpkeep {
  readonly #deps: EtcdUpkeepDeps;
  readonly #over = new AbortController();
  #reachable = false;
  #failures = 0;
  #sizeMs = -Infinity;
  #defragmentMs: number;

  constructor(deps: EtcdUpkeepDeps) {
    this.#deps = deps;
    this.#defragmentMs = deps.clock.monotonicMs();
    void this.#run();
  }

  get isReachable(): boolean {
    return this.#reachable;
  }

  close(): void {
    this.#over.abort(new Error("the scheduler stops"));
  }

  async #run(): Promise<void> {
    const { clock } = this.#deps;
    const { signal } = this.#over;
    while (!signal.aborted) {
      await this.#look();
      await sleep(clock, LOOK_MS, signal).catch(() => undefined);
    }
  }

  async #look(): Promise<void> {
    const { client, health, logger } = this.#deps;
    try {
      const request = create(RangeRequestSchema, { key: Buffer.from(LEADERSHIP), countOnly: true });
      await client.callOnce(KEYS.range, request, LOOK_MS_MAX);
      this.#failures = 0;
      if (!this.#reachable) {
        this.#reachable = true;
        logger.info("Etcd server is ready!");
        health.ready();
      }
      await this.#maintain();
    } catch (error) {
      this.#failures += 1;
      if (this.#reachable && this.#failures >= FAILURES_MAX && !this.#over.signal.aborted) {
        this.#reachable = false;
        logger.error(`Etcd does not answer, so that nothing can be stored or triggered: ${errorMessage(error)}`);
        health.notReady();
      }
    }
  }

  /** Users of an etcd elsewhere may not be allowed to ask. */
  async #maintain(): Promise<void> {
    const { client, store, clock, isOwn, logger } = this.#deps;
    const nowMs = clock.monotonicMs();
    if (nowMs - this.#sizeMs < SIZE_MS) {
      return;
    }
    this.#sizeMs = nowMs;
    try {
      const { dbSize, dbSizeInUse } = await client.callOnce(
        MAINTENANCE.status,
        create(StatusRequestSchema),
        LOOK_MS_MAX,
      );
      store.bytes = Number(dbSize);
      if (isOwn && nowMs - this.#defragmentMs >= DEFRAGMENT_MS && dbSize >= 2n * dbSizeInUse) {
        this.#defragmentMs = nowMs;
        logger.info(`Defragmenting Etcd (${dbSize} bytes, of which ${dbSizeInUse} are in use)`);
        await client.callOnce(MAINTENANCE.defragment, create(DefragmentRequestSchema), DEFRAGMENT_CALL_MS_MAX);
      }
    } catch (error) {
      logger.debug(`The size of Etcd is not known: ${errorMessage(error)}`);
    }
  }
}
