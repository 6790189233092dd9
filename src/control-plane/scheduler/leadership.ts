import { create, toBinary } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import type { Clock } from "../../kit/clock.ts";
import { errorMessage } from "../../kit/error-message.ts";
import type { Logger } from "../../kit/logger.ts";
import type { Random } from "../../kit/random.ts";
import { StoredLeadershipSchema } from "../../wire/gen/cron/stored_pb.js";
import { HostSchema } from "../../wire/gen/dapr/proto/scheduler/v1/scheduler_pb.js";
import { LEADERSHIP_CHECK_MS, LEADERSHIP_TTL_S } from "./limits.ts";
import type { KeyStore } from "./store/key-store.ts";
import { LEADERSHIP } from "./store/keys.ts";
import type { LeaseBook } from "./store/lease-book.ts";

/** What the key says. */
export interface LeadershipOptions {
  readonly id: string;
  /** host:port at which sidecars reach this scheduler. */
  readonly address: string;
}

/** What it stands on. */
export interface LeadershipDeps {
  readonly store: KeyStore;
  readonly leases: LeaseBook;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/**
 * Keeps the key that says that this scheduler is there: under a lease, so that it goes with the process, and put back when
 * somebody has taken it away.
 */
export async function keepLeadership(
  { id, address }: LeadershipOptions,
  { store, leases, clock, random, logger }: LeadershipDeps,
): Promise<() => Promise<void>> {
  const key = LEADERSHIP + id;
  const value = toBinary(
    StoredLeadershipSchema,
    create(StoredLeadershipSchema, {
      total: 1n,
      uid: BigInt(Math.floor(random.next() * Number.MAX_SAFE_INTEGER)),
      replicaData: anyPack(HostSchema, create(HostSchema, { address })),
    }),
  );
  let lease = 0;
  let checking = false;
  const take = async (): Promise<void> => {
    lease = leases.grant(LEADERSHIP_TTL_S)?.id ?? 0;
    await store.commit({ apply: [{ kind: "put", key, value, lease }], essential: true });
  };
  const check = async (): Promise<void> => {
    if (leases.keepAlive(lease)?.keys.has(key) !== true) {
      await leases.revoke(lease);
      await take();
    }
  };
  await take();
  const timer = clock.every(LEADERSHIP_CHECK_MS, () => {
    if (checking) {
      return;
    }
    checking = true;
    check()
      .catch((error: unknown) => logger.error(`the leadership key could not be written: ${errorMessage(error)}`))
      .finally(() => (checking = false));
  });
  return async () => {
    timer.cancel();
    await leases.revoke(lease);
  };
}
