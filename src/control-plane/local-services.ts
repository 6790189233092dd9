import type { Clock } from "../kit/clock.ts";
import type { Logger } from "../kit/logger.ts";
import type { Random } from "../kit/random.ts";
import type { PlacementIdentity } from "../mesh/placement-host.ts";
import type { OpenPlacement } from "../mesh/placement-stream.ts";
import type { PlacementService } from "./placement/placement-service.ts";
import { InProcessScheduler } from "./scheduler/in-process-scheduler.ts";

/** Virtual nodes of each host on the ring, and milliseconds of a round: the defaults of the placement role. */
const REPLICATION_FACTOR = 100;
const DISSEMINATE_TIMEOUT_MS = 8_000;

export interface LocalServicesOptions {
  /** Where jobs and reminders are kept, made with the first of them; undefined: in memory, until `close`. */
  readonly jobsFolder: string | undefined;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/** Placement and scheduler for sidecars of the same process: each is loaded with its first use, and has no ports. */
export class LocalServices {
  readonly scheduler: InProcessScheduler;
  readonly #options: LocalServicesOptions;
  #placement: PlacementService | undefined;

  constructor(options: LocalServicesOptions) {
    this.#options = options;
    this.scheduler = new InProcessScheduler({ ...options, folder: options.jobsFolder });
  }

  /** Streams to the one placement service of this value, whatever address they are opened to. */
  async placement(identity: PlacementIdentity): Promise<OpenPlacement> {
    const { openInProcessPlacement } = await import("./placement/in-process-placement.ts");
    return openInProcessPlacement(await this.placementService(), identity);
  }

  /** The one placement service of this value. */
  async placementService(): Promise<PlacementService> {
    const { PlacementService } = await import("./placement/placement-service.ts");
    this.#placement ??= new PlacementService({
      ...this.#options,
      replicationFactor: REPLICATION_FACTOR,
      disseminateTimeoutMs: DISSEMINATE_TIMEOUT_MS,
      coalesceWindowMs: 0,
    });
    return this.#placement;
  }

  /** Sidecars have left before. */
  async close(): Promise<void> {
    await this.scheduler.close();
  }
}
