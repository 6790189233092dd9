import type { Clock } from "../../kit/clock.ts";
import { LEASE_SWEEP_MS } from "./limits.ts";
import type { PeerLink } from "./member.ts";

/** Finds out what listens at a sidecar's address: a process, nothing at all, or that cannot be told. Never rejects. */
export type ProbeHost = (address: string) => Promise<"open" | "refused" | "unknown">;

/**
 * Tells sidecars of ours whose stream has broken from those whose process is gone: nothing listens any more at an address
 * that could be reached before. One that never could be reached from here shows nothing by refusing.
 */
export class PeerWatch {
  readonly #clock: Clock;
  readonly #probe: ProbeHost | undefined;

  /** @param probe undefined: nobody is known to be gone before its lease is over */
  constructor(clock: Clock, probe: ProbeHost | undefined) {
    this.#clock = clock;
    this.#probe = probe;
  }

  /** A sidecar has come. */
  meet(address: string, peer: PeerLink): void {
    void this.#probe?.(address).then((found) => {
      peer.isReachable = found === "open";
    });
  }

  /** Asks again and again until the process is gone, or it does not matter any more. */
  lookFor(address: string, peer: PeerLink, isMissed: () => boolean, onGone: () => void): void {
    if (!peer.isReachable) {
      return;
    }
    void this.#probe?.(address).then((found) => {
      if (!isMissed()) {
        return;
      }
      if (found === "refused") {
        onGone();
      } else {
        this.#clock.after(LEASE_SWEEP_MS, () => this.lookFor(address, peer, isMissed, onGone));
      }
    });
  }
}
