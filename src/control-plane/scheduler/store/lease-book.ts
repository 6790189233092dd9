import type { Clock } from "../../../kit/clock.ts";
import type { Random } from "../../../kit/random.ts";
import { LEASES_MAX } from "../limits.ts";
import type { KeyChange, WatchedKeyStore } from "./key-store.ts";

/** How often leases are looked at. */
const CHECK_MS = 500;

/** Numbers of leases are exact in JavaScript. */
const LEASE_ID_MAX = 2 ** 52;

export interface Lease {
  readonly id: number;
  readonly ttlS: number;
  readonly keys: ReadonlySet<string>;
  /** On the clock that never goes back. */
  endsMs: number;
}

interface OwnLease extends Lease {
  readonly keys: Set<string>;
}

/** Leases: when one ends, by time or by hand, so do its keys. They live as long as the process. */
export class LeaseBook {
  readonly #store: WatchedKeyStore;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #leases = new Map<number, OwnLease>();
  readonly #leaseOfKey = new Map<string, OwnLease>();
  readonly #stop: (() => void)[];

  constructor(store: WatchedKeyStore, clock: Clock, random: Random) {
    this.#store = store;
    this.#clock = clock;
    this.#random = random;
    const timer = clock.every(CHECK_MS, () => this.#endOld());
    this.#stop = [() => timer.cancel(), store.watch((changes) => this.#follow(changes))];
  }

  get all(): Iterable<Lease> {
    return this.#leases.values();
  }

  get(id: number): Lease | undefined {
    return this.#leases.get(id);
  }

  /** @returns undefined when there is no room for another, or one has that number */
  grant(ttlS: number, id = this.#freeId()): Lease | undefined {
    if (this.#leases.has(id) || this.#leases.size >= LEASES_MAX) {
      return undefined;
    }
    const lease: OwnLease = { id, ttlS, keys: new Set(), endsMs: this.#clock.monotonicMs() + ttlS * 1_000 };
    this.#leases.set(id, lease);
    return lease;
  }

  /** @returns the lease, or undefined when it has ended */
  keepAlive(id: number): Lease | undefined {
    const lease = this.#leases.get(id);
    if (lease !== undefined) {
      lease.endsMs = this.#clock.monotonicMs() + lease.ttlS * 1_000;
    }
    return lease;
  }

  /** Ends a lease and deletes its keys. @returns false when there is none @throws KeyStoreError */
  async revoke(id: number): Promise<boolean> {
    const lease = this.#leases.get(id);
    if (lease === undefined) {
      return false;
    }
    this.#leases.delete(id);
    await this.#store.commit({ apply: [...lease.keys].map((key) => ({ kind: "delete", key })) });
    return true;
  }

  remainingS(lease: Lease): number {
    return Math.max(0, Math.ceil((lease.endsMs - this.#clock.monotonicMs()) / 1_000));
  }

  close(): void {
    for (const stop of this.#stop) {
      stop();
    }
  }

  #follow(changes: readonly KeyChange[]): void {
    for (const change of changes) {
      const key = change.kind === "put" ? change.kv.key : change.key;
      this.#leaseOfKey.get(key)?.keys.delete(key);
      this.#leaseOfKey.delete(key);
      const lease = change.kind === "put" && change.kv.lease !== 0 ? this.#leases.get(change.kv.lease) : undefined;
      if (lease !== undefined) {
        lease.keys.add(key);
        this.#leaseOfKey.set(key, lease);
      }
    }
  }

  #endOld(): void {
    const nowMs = this.#clock.monotonicMs();
    for (const lease of this.#leases.values()) {
      if (lease.endsMs <= nowMs) {
        // A store that fails now has its keys dropped with the next start.
        void this.revoke(lease.id).catch(() => undefined);
      }
    }
  }

  #freeId(): number {
    let id: number;
    do {
      id = 1 + Math.floor(this.#random.next() * LEASE_ID_MAX);
    } while (this.#leases.has(id));
    return id;
  }
}
