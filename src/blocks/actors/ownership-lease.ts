import type { Clock, Timer } from "../../kit/clock.ts";
import { LEASE_CHECK_MS, STALL_MS } from "./limits.ts";

/**
 * Whether this sidecar may act for the actors that the tables give it. A placement service of ours grants it for some
 * seconds at a time, counted from when this sidecar asked, so that it ends here before it ends there. With one that grants
 * nothing it is held while the event loop runs: a process that stood still for `STALL_MS` may have been taken for dead.
 */
export class OwnershipLease {
  readonly #clock: Clock;
  #untilMs = 0;
  #stallMs: number | undefined;
  #onHeld: () => void = () => undefined;
  #check: Timer | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Asked before a claim is granted, a turn begins, a timer fires and state is committed; costs one look at the clock. */
  holds(): boolean {
    return this.#clock.monotonicMs() < this.#untilMs;
  }

  /**
   * The service has granted what was asked for at `askedMs` on this sidecar's monotonic clock; `Infinity`: it lives and
   * stops with this process. A late grant only counts from then, too.
   */
  granted(askedMs: number, leaseMs: number): void {
    const before = this.holds();
    this.#stallMs = undefined;
    this.#untilMs = Math.max(this.#untilMs, askedMs + leaseMs);
    if (!before && this.holds()) {
      this.#onHeld();
    }
  }

  /** Nobody grants leases: it is held from now on, until the event loop stalls. */
  guard(): void {
    this.#stallMs = STALL_MS;
    this.#untilMs = this.#clock.monotonicMs() + STALL_MS;
  }

  /** Tells once when a lease that was held is over, and whenever one is granted that was not held. */
  watch(onOver: () => void, onHeld: () => void): void {
    this.#onHeld = onHeld;
    this.#check ??= this.#clock.every(LEASE_CHECK_MS, () => {
      if (this.#untilMs === 0 || this.#extended()) {
        return;
      }
      // A grant may have come while the process stood still: what has arrived is read first.
      this.#clock.after(0, () => {
        if (this.#untilMs > 0 && !this.holds()) {
          this.end();
          onOver();
        }
      });
    });
  }

  /** It is not held any more, whatever was granted. */
  end(): void {
    this.#untilMs = 0;
    this.#stallMs = undefined;
  }

  close(): void {
    this.end();
    this.#check?.cancel();
    this.#check = undefined;
  }

  #extended(): boolean {
    const held = this.holds();
    if (held && this.#stallMs !== undefined) {
      this.#untilMs = this.#clock.monotonicMs() + this.#stallMs;
    }
    return held;
  }
}
