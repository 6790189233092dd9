import type { HealthTarget } from "../../../blocks/control/health.ts";
import type { Clock, Timer } from "../../../kit/clock.ts";
import type { Logger } from "../../../kit/logger.ts";
import { LATE_MS } from "../limits.ts";

export interface AgreementDeps {
  readonly health: HealthTarget;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Whether the members agree, so that this one triggers its part. Health turns red when they have not for as long as a due
 * trigger may be late: another process has this one's id, a member is gone and its key is not, or the store is away.
 */
export class Agreement {
  readonly #deps: AgreementDeps;
  #timer: Timer | undefined;
  #isRed = false;
  /** Members that agree; 0 while they do not. */
  members = 0;

  constructor(deps: AgreementDeps) {
    this.#deps = deps;
    deps.health.ready();
    this.lost();
  }

  reached(members: number): void {
    this.members = members;
    this.#timer?.cancel();
    this.#timer = undefined;
    if (this.#isRed) {
      this.#isRed = false;
      this.#deps.health.ready();
    }
  }

  lost(): void {
    this.members = 0;
    this.#timer ??= this.#deps.clock.after(LATE_MS, () => {
      this.#isRed = true;
      this.#deps.logger.error(
        `The schedulers have not agreed who triggers what for ${LATE_MS} ms: this one triggers nothing. Each needs an --id of its own`,
      );
      this.#deps.health.notReady();
    });
  }

  close(): void {
    this.#timer?.cancel();
    this.#deps.health.notReady();
  }
}
