import type { AppHealth } from "../app/health.ts";

/** Answers for the app's health from before the probes exist: without them the app counts as healthy. */
export class AppHealthSwitch {
  #health: AppHealth | undefined;

  /** Undefined: there are no probes, or no longer. */
  follow(health: AppHealth | undefined): void {
    this.#health = health;
  }

  get healthy(): boolean {
    return this.#health?.healthy ?? true;
  }
}
