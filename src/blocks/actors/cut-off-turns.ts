import { AppUnreachableError } from "../../app/app-unreachable-error.ts";
import type { Claim } from "./ownership-gate.ts";

interface CutOffTurn {
  readonly claim: Claim;
  readonly reason: Error;
  readonly end: Promise<void>;
}

/** The calls of an activation that were cut off while the app worked on them: it goes on, and knows nothing of it. */
export class CutOffTurns {
  readonly #turns: CutOffTurn[] = [];

  /** @param work what the app does, until it has answered */
  add(claim: Claim, reason: Error, work: Promise<unknown>): void {
    this.#turns.push({ claim, reason, end: endOf(work) });
  }

  /** Resolves when the app has answered all of them; never, when that cannot be known of one. */
  async ended(): Promise<void> {
    await Promise.all(this.#turns.map(({ end }) => end));
  }

  /** Takes our half of their connections from the app, or all of it. */
  abort(): void {
    for (const { claim, reason } of this.#turns) {
      claim.abort(reason);
    }
  }
}

/** Resolves with the app's answer. Never resolves where the connection has ended without: the app may be at it still. */
export function endOf(work: Promise<unknown>): Promise<void> {
  return new Promise((resolve) => {
    work.then(
      () => resolve(),
      (error: unknown) => {
        if (!(error instanceof AppUnreachableError)) {
          resolve();
        }
      },
    );
  });
}
