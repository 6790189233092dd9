import type { Clock, Timer } from "../../../kit/clock.ts";
import { errorMessage } from "../../../kit/error-message.ts";
import type { Logger } from "../../../kit/logger.ts";
import { LEADERSHIP_TTL_S, LEASE_MARGIN_MS, LEASE_RENEW_MS, MEMBERSHIP_RETRY_MS } from "../limits.ts";
import type { Leases } from "../store/leases.ts";

export interface MemberLeaseDeps {
  readonly leases: Leases;
  readonly clock: Clock;
  readonly logger: Logger;
  /** The lease has begun, has run out by this process's clock, or holds again. */
  onChange(): void;
}

/**
 * The lease under which a member's key stands. By this process's clock it ends before the store can end it: it counts from
 * when a renewal was asked for, less a margin.
 */
export class MemberLease {
  readonly #deps: MemberLeaseDeps;
  #id = 0;
  #endsMs = -Infinity;
  #held = false;
  #timer: Timer | undefined;
  #closed = false;

  constructor(deps: MemberLeaseDeps) {
    this.#deps = deps;
  }

  /** 0: none, or one that the store has ended. */
  get id(): number {
    return this.#id;
  }

  start(): void {
    void this.#renew();
  }

  holds(): boolean {
    const holds = this.#id !== 0 && this.#deps.clock.monotonicMs() < this.#endsMs;
    if (this.#held && !holds) {
      // A process that was stopped may ask before its timers run.
      this.#held = false;
      this.#deps.onChange();
    }
    return holds;
  }

  /** Ends it, and so the key, if the store can be reached. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#timer?.cancel();
    const id = this.#id;
    this.#id = 0;
    if (id !== 0) {
      await this.#deps.leases.revoke(id).catch((error: unknown) => {
        this.#deps.logger.warn(`the leadership key stays until its lease ends: ${errorMessage(error)}`);
      });
    }
  }

  async #renew(): Promise<void> {
    const { leases, clock, logger } = this.#deps;
    const askedMs = clock.monotonicMs();
    let delayMs = LEASE_RENEW_MS;
    try {
      if (this.#id === 0) {
        const id = await leases.grant(LEADERSHIP_TTL_S);
        if (this.#closed) {
          await leases.revoke(id);
          return;
        }
        this.#extend(id, askedMs);
      } else if (await leases.keepAlive(this.#id)) {
        this.#extend(this.#id, askedMs);
      } else {
        logger.error("the lease of the leadership key has ended: another one is taken");
        this.#id = 0;
        delayMs = 0;
      }
    } catch (error) {
      delayMs = MEMBERSHIP_RETRY_MS;
      if (!this.#closed) {
        logger.warn(`the lease of the leadership key could not be renewed: ${errorMessage(error)}`);
      }
    }
    if (!this.#closed) {
      this.holds();
      this.#timer = clock.after(Math.min(delayMs, this.#leftMs()), () => void this.#renew());
    }
  }

  #extend(id: number, askedMs: number): void {
    if (this.#closed) {
      return;
    }
    this.#id = id;
    this.#endsMs = askedMs + LEADERSHIP_TTL_S * 1_000 - LEASE_MARGIN_MS;
    if (!this.#held) {
      this.#held = true;
      this.#deps.onChange();
    }
  }

  /** Until it runs out, so that this is noticed at once; no limit when it has. */
  #leftMs(): number {
    const left = this.#endsMs - this.#deps.clock.monotonicMs();
    return left > 0 ? left : Infinity;
  }
}
