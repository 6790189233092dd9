import type { Clock, Timer } from "../../kit/clock.ts";
import { LEASE_MARGIN_MS, LEASE_MS, LEASE_SWEEP_MS } from "./limits.ts";
import type { Member, PeerLink } from "./member.ts";

/**
 * Until when sidecars of ours may act for their actors. A lease counts from when its request came, and a margin longer than
 * at the sidecar, where it counts from when it was asked for.
 */
export class PeerLeases {
  readonly #clock: Clock;
  readonly #onOver: (member: Member) => void;
  readonly #members = new Set<Member>();
  #sweep: Timer | undefined;
  #sweptMs = 0;

  /** @param onOver told of a sidecar whose lease is over; it is forgotten before */
  constructor(clock: Clock, onOver: (member: Member) => void) {
    this.#clock = clock;
    this.#onOver = onOver;
  }

  grant(member: Member, peer: PeerLink): void {
    peer.leaseUntilMs = this.#clock.monotonicMs() + peer.leaseMs + LEASE_MARGIN_MS;
    this.#members.add(member);
    if (this.#sweep === undefined) {
      this.#sweptMs = this.#clock.monotonicMs();
      this.#sweep = this.#clock.every(LEASE_SWEEP_MS, () => this.#look());
    }
  }

  /** One without end is left to live as long as any other: nobody asks for it any more. */
  limit(peer: PeerLink): void {
    peer.leaseUntilMs = Math.min(peer.leaseUntilMs, this.#clock.monotonicMs() + LEASE_MS + LEASE_MARGIN_MS);
  }

  delete(member: Member): void {
    this.#members.delete(member);
    if (this.#members.size === 0) {
      this.#sweep?.cancel();
      this.#sweep = undefined;
    }
  }

  clear(): void {
    for (const member of this.#members) {
      this.delete(member);
    }
  }

  #look(): void {
    const nowMs = this.#clock.monotonicMs();
    const lateMs = nowMs - this.#sweptMs - LEASE_SWEEP_MS;
    this.#sweptMs = nowMs;
    for (const member of this.#members) {
      const { peer } = member;
      if (peer === undefined) {
        continue;
      }
      if (lateMs > LEASE_SWEEP_MS) {
        // This process stood still: requests that came meanwhile have not been read. Longer is always safe.
        peer.leaseUntilMs = Math.max(peer.leaseUntilMs, nowMs + LEASE_MS);
      }
      if (peer.leaseUntilMs <= nowMs) {
        this.delete(member);
        this.#onOver(member);
      }
    }
  }
}
