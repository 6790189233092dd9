import type { Clock, Timer } from "../../kit/clock.ts";
import { formatGoDuration } from "../../kit/duration.ts";
import type { Logger } from "../../kit/logger.ts";
import type { PlacementOrder, PlacementReport, PlacementTables } from "../../mesh/placement-stream.ts";

/** What happens here while the sidecars of a namespace agree on new tables. */
export interface PlacementFollower {
  /** New tables: resolves when nothing runs here any more that belongs elsewhere now. Calls of actors that move wait. */
  tablesChanged(tables: PlacementTables): Promise<void>;
  /** All sidecars have them. */
  tablesAgreed(): void;
  /** The lease is held again, or for the first time: what waited for it may go on where the tables are agreed on. */
  leaseHeld(): void;
  /** Nothing here may be this sidecar's any more; resolves when no actor is active. Others' actors are where they were. */
  ownershipLost(): Promise<void>;
  /** The service is lost, and nobody says any more who owns what: resolves when no actor is active here. */
  connectionLost(): Promise<void>;
  /** Addresses of the hosts in the tables that are acted on. */
  knownHosts(): readonly string[];
}

/** The orders of a round. */
export type RoundOrder = Extract<PlacementOrder, { readonly version: bigint }>;

export interface PlacementRoundsOptions {
  readonly appId: string;
  readonly namespace: string;
  readonly disseminationTimeoutMs: number;
  readonly follower: PlacementFollower;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Where the rounds of one stream are: lock, update and unlock from a service of Dapr's, update and unlock from ours. */
export class PlacementRounds {
  readonly #options: PlacementRoundsOptions;
  #isReady = false;
  #timeout: Timer | undefined;
  #version = 0n;
  #phase: "lock" | "update" | "unlock" = "lock";

  constructor(options: PlacementRoundsOptions) {
    this.#options = options;
  }

  /** The last round has ended well. */
  get isReady(): boolean {
    return this.#isReady;
  }

  /** Of the last table that came. */
  get version(): bigint {
    return this.#version;
  }

  /**
   * Carries one order out and acknowledges it.
   * @param onTimeout the service takes too long until the next order; undefined: its leases tell whether it lives
   * @throws Error for a table that is older than the lock before it
   */
  async carryOut(
    order: RoundOrder,
    send: (report: PlacementReport) => void,
    onTimeout: (() => void) | undefined,
  ): Promise<void> {
    switch (order.operation) {
      case "lock":
        this.#phase = "lock";
        this.#version = order.version;
        this.#expectMore(onTimeout);
        send({ kind: "lock", version: order.version });
        return;
      case "update":
        await this.#update(order.version, order.tables);
        this.#expectMore(onTimeout);
        send({ kind: "update", version: order.version });
        return;
      case "unlock":
        this.#unlock(order.version, send);
    }
  }

  /** A service that knows nothing of the tables that have come. */
  begin(): void {
    this.#version = 0n;
  }

  /** The stream is over. */
  end(): void {
    this.#stopTimeout();
    this.#isReady = false;
    this.#phase = "lock";
  }

  async #update(version: bigint, tables: PlacementTables): Promise<void> {
    if (this.#version > version) {
      throw new Error(`version mismatch: expected ${this.#version}, got ${version}`);
    }
    // Draining has limits of its own.
    this.#stopTimeout();
    this.#version = version;
    await this.#options.follower.tablesChanged(tables);
    this.#phase = "update";
  }

  #unlock(version: bigint, send: (report: PlacementReport) => void): void {
    const { follower, namespace, appId, logger } = this.#options;
    if (this.#phase !== "update") {
      logger.warn("Invalid operation sequence: expected UPDATE before UNLOCK, ignoring unlock");
      return;
    }
    if (this.#version > version) {
      logger.error(`Version mismatch: expected ${this.#version}, got ${version}, ignoring unlock`);
      return;
    }
    this.#version = version;
    this.#phase = "unlock";
    this.#stopTimeout();
    logger.info(`Dissemination complete for version ${version}, unlocking ${namespace}/${appId}`);
    this.#isReady = true;
    follower.tablesAgreed();
    send({ kind: "unlock", version });
  }

  #expectMore(onTimeout: (() => void) | undefined): void {
    this.#stopTimeout();
    if (onTimeout === undefined) {
      return;
    }
    const { clock, disseminationTimeoutMs, logger } = this.#options;
    this.#timeout = clock.after(disseminationTimeoutMs, () => {
      logger.warn(
        `Dissemination timeout after ${formatGoDuration(disseminationTimeoutMs)} for version ${this.#version}, closing stream to reconnect`,
      );
      onTimeout();
    });
  }

  #stopTimeout(): void {
    this.#timeout?.cancel();
    this.#timeout = undefined;
  }
}
