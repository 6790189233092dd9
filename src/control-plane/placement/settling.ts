import type { Clock, Timer } from "../../kit/clock.ts";

/**
 * The time after a change of leaders in which sidecars of ours may hold actors by leases of the leader before. What they hold
 * stays theirs; nobody else gets a table before all of them have come, as far as those who came know them, or every such
 * lease is over.
 */
export class Settling {
  readonly #onSettled: () => void;
  readonly #came = new Set<string>();
  readonly #expected = new Set<string>();
  #timer: Timer | undefined;
  #version = 0;

  /** @param untilMs on the monotonic clock; in the past: there is nothing to wait for */
  constructor(untilMs: number, clock: Clock, onSettled: () => void) {
    this.#onSettled = onSettled;
    const leftMs = untilMs - clock.monotonicMs();
    if (leftMs > 0) {
      this.#timer = clock.after(leftMs, () => this.#settle());
    }
  }

  /** It is not over yet. */
  get isOpen(): boolean {
    return this.#timer !== undefined;
  }

  /** Somebody has come who holds actors. */
  get hasHolders(): boolean {
    return this.#expected.size > 0;
  }

  /** The last version of which somebody has told who holds actors. */
  get version(): number {
    return this.#version;
  }

  /** A sidecar has come, with the tables that it acts on if it holds actors. */
  came(address: string, held: { readonly version: number; readonly hosts: readonly string[] } | undefined): void {
    if (!this.isOpen) {
      return;
    }
    this.#came.add(address);
    if (held !== undefined) {
      this.#version = Math.max(this.#version, held.version);
      this.#expected.add(address);
      for (const host of held.hosts) {
        this.#expected.add(host);
      }
    }
    if (this.hasHolders && [...this.#expected].every((address) => this.#came.has(address))) {
      this.#settle();
    }
  }

  close(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #settle(): void {
    this.close();
    this.#onSettled();
  }
}
