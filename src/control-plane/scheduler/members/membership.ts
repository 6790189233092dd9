import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { type Any, anyPack, anyUnpack } from "@bufbuild/protobuf/wkt";
import type { Clock, Timer } from "../../../kit/clock.ts";
import { errorMessage } from "../../../kit/error-message.ts";
import type { Logger } from "../../../kit/logger.ts";
import type { Random } from "../../../kit/random.ts";
import { type StoredLeadership, StoredLeadershipSchema } from "../../../wire/gen/cron/stored_pb.js";
import { HostSchema } from "../../../wire/gen/dapr/proto/scheduler/v1/scheduler_pb.js";
import { MEMBERSHIP_RETRY_MS, REJOIN_MS_MAX, REJOIN_SETTLED_MS } from "../limits.ts";
import type { Following, KeyChange, KeyStore, KeyValue } from "../store/key-store.ts";
import { LEADERSHIP, prefixRange } from "../store/keys.ts";
import type { Leases } from "../store/leases.ts";
import { MemberLease } from "./member-lease.ts";
import { type Partition, partitionOf } from "./partition.ts";

/** What all members have agreed on. */
export interface Election {
  readonly partition: Partition;
  /** host:port of every member, in the order of their keys. */
  readonly hosts: readonly string[];
}

/** What a member does with its part of the jobs. */
export interface MemberDuties {
  /** Triggers the jobs of its part from now on. */
  elected(election: Election): void;
  /** Triggers nothing any more; resolves when that is so. Nobody else has its part before. */
  deposed(): Promise<void>;
}

export interface MembershipOptions {
  readonly id: string;
  /** host:port at which sidecars reach this scheduler. */
  readonly address: string;
  /** What an earlier process with the same data called itself: a key of that is this member's own. */
  readonly formerUid?: bigint | undefined;
}

export interface MembershipDeps {
  readonly store: KeyStore;
  readonly leases: Leases;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly duties: MemberDuties;
}

interface Member {
  readonly kv: KeyValue;
  /** Undefined: the value cannot be read, so that nobody can agree with it. */
  readonly stored: StoredLeadership | undefined;
}

/**
 * One scheduler among those that share a store, by go-etcd-cron's protocol: each has a key under a lease that says how many
 * keys there are. When all say the number that there is, all trigger, each its part; as long as one says another, none does.
 * A member says a new number only after it has stopped.
 */
export class Membership {
  readonly uid: bigint;
  readonly #options: MembershipOptions;
  readonly #deps: MembershipDeps;
  readonly #key: string;
  readonly #replicaData: Any;
  readonly #lease: MemberLease;
  readonly #members = new Map<string, Member>();
  #following: Following | undefined;
  #isRead = false;
  #running: string | undefined;
  #reconciling = false;
  #again = false;
  #timer: Timer | undefined;
  /** Until when the others have the first word, on the clock that never goes back. */
  #waitsUntilMs = -Infinity;
  #closed = false;

  constructor(options: MembershipOptions, deps: MembershipDeps) {
    this.#options = options;
    this.#deps = deps;
    this.#key = LEADERSHIP + options.id;
    this.uid = BigInt(Math.floor(deps.random.next() * Number.MAX_SAFE_INTEGER)) + 1n;
    this.#replicaData = anyPack(HostSchema, create(HostSchema, { address: options.address }));
    const { leases, clock, logger } = deps;
    this.#lease = new MemberLease({ leases, clock, logger, onChange: () => this.#reconcile() });
  }

  /** Whether this member's part of the jobs is certainly still its own. */
  holds(): boolean {
    return this.#lease.holds();
  }

  start(): void {
    const read = (change: KeyChange): void => {
      if (change.kind === "delete") {
        this.#members.delete(change.key);
      } else {
        this.#members.set(change.kv.key, { kv: change.kv, stored: this.#decode(change.kv) });
      }
    };
    this.#following = this.#deps.store.follow(prefixRange(LEADERSHIP), {
      begin: () => {
        this.#isRead = false;
        this.#members.clear();
      },
      page: (kvs) => kvs.forEach((kv) => read({ kind: "put", kv })),
      synced: () => {
        this.#isRead = true;
        this.#reconcile();
      },
      changed: (changes) => {
        changes.forEach(read);
        this.#reconcile();
      },
    });
    this.#following.synced.catch((error: unknown) => this.#deps.logger.error(errorMessage(error)));
    this.#lease.start();
  }

  /** Leaves: the others need not wait for the lease to end. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#following?.end();
    this.#timer?.cancel();
    await this.#depose();
    await this.#lease.close();
  }

  /** One at a time; what changes meanwhile is looked at afterwards. */
  #reconcile(): void {
    if (this.#reconciling) {
      this.#again = true;
      return;
    }
    this.#reconciling = true;
    void this.#run();
  }

  async #run(): Promise<void> {
    do {
      this.#again = false;
      try {
        await this.#step();
      } catch (error) {
        this.#deps.logger.error(`the leadership key could not be written: ${errorMessage(error)}`);
        this.#lookLater();
      }
    } while (this.#again);
    this.#reconciling = false;
  }

  async #step(): Promise<void> {
    if (this.#closed || !this.#isRead) {
      return;
    }
    if (!this.#lease.holds()) {
      await this.#depose();
      return;
    }
    const own = this.#members.get(this.#key);
    if (own?.stored?.uid !== this.uid || own.kv.lease !== this.#lease.id) {
      await this.#depose();
      await this.#join(own);
      return;
    }
    const total = BigInt(this.#members.size);
    if (own.stored.total !== total) {
      await this.#depose();
      await this.#write(total, own.kv.modRevision);
      return;
    }
    const members = [...this.#members.values()];
    if (members.some(({ stored }) => stored?.total !== total)) {
      await this.#depose();
      return;
    }
    await this.#elect(members);
  }

  async #elect(members: readonly Member[]): Promise<void> {
    const keys = [...this.#members.keys()];
    const running = members
      .map(({ kv }) => `${kv.key}@${kv.createRevision}`)
      .toSorted()
      .join();
    const partition = partitionOf(this.#options.id, keys);
    if (partition === undefined || this.#running === running) {
      return;
    }
    // The same number of members need not be the same members.
    await this.#depose();
    this.#running = running;
    this.#deps.logger.info(`leadership quorum reached: member ${partition.index + 1} of ${partition.total}`);
    const sorted = members.toSorted((a, b) => Buffer.compare(Buffer.from(a.kv.key), Buffer.from(b.kv.key)));
    this.#deps.duties.elected({ partition, hosts: sorted.map(addressOf) });
  }

  async #depose(): Promise<void> {
    if (this.#running !== undefined) {
      this.#running = undefined;
      if (!this.#closed) {
        this.#deps.logger.info("leadership quorum lost: nothing is triggered until all members agree again");
      }
      await this.#deps.duties.deposed();
    }
  }

  /**
   * A key of another process with this id stays as long as its lease does. One of an earlier life of this member, which
   * nobody uses any more, is taken away, so that the others divide its jobs among them and trigger what it had under way;
   * this member comes when they have.
   */
  async #join(own: Member | undefined): Promise<void> {
    if (own === undefined) {
      const total = BigInt(this.#members.size);
      const nowMs = this.#deps.clock.monotonicMs();
      if ([...this.#members.values()].every(({ stored }) => stored?.total === total)) {
        const turnMs = this.#members.size === 0 ? 0 : REJOIN_SETTLED_MS;
        this.#waitsUntilMs = Math.min(this.#waitsUntilMs, nowMs + turnMs);
      }
      if (nowMs >= this.#waitsUntilMs) {
        await this.#write(total + 1n, 0);
      } else {
        this.#lookLater();
      }
      return;
    }
    const uid = own.stored?.uid;
    if (uid !== undefined && (uid === this.uid || uid === this.#options.formerUid)) {
      this.#waitsUntilMs = this.#deps.clock.monotonicMs() + REJOIN_MS_MAX;
      await this.#deps.store.commit({
        conditions: [{ key: this.#key, modRevision: own.kv.modRevision }],
        apply: [{ kind: "delete", key: this.#key }],
        essential: true,
      });
    }
  }

  async #write(total: bigint, modRevision: number): Promise<void> {
    const { uid } = this;
    const stored = create(StoredLeadershipSchema, { total, uid, replicaData: this.#replicaData });
    const value = toBinary(StoredLeadershipSchema, stored);
    // Its own change comes back like those of others. When it fails, another change is on its way.
    await this.#deps.store.commit({
      conditions: [{ key: this.#key, modRevision }],
      apply: [{ kind: "put", key: this.#key, value, lease: this.#lease.id }],
      essential: true,
    });
  }

  #lookLater(): void {
    if (!this.#closed) {
      this.#timer?.cancel();
      this.#timer = this.#deps.clock.after(MEMBERSHIP_RETRY_MS, () => this.#reconcile());
    }
  }

  #decode({ key, value }: KeyValue): StoredLeadership | undefined {
    try {
      return fromBinary(StoredLeadershipSchema, value);
    } catch (error) {
      this.#deps.logger.error(`the leadership key ${key} cannot be read: ${errorMessage(error)}`);
      return undefined;
    }
  }
}

function addressOf({ stored }: Member): string {
  const data = stored?.replicaData;
  return (data === undefined ? undefined : anyUnpack(data, HostSchema)?.address) ?? "";
}
