import { GRPC_STATUS } from "../../errors/grpc-status.ts";
import { goErrorText } from "../../app/go-error-text.ts";
import { type Clock, sleep, type Timer } from "../../kit/clock.ts";
import { formatGoDuration } from "../../kit/duration.ts";
import type { Logger } from "../../kit/logger.ts";
import type { Random } from "../../kit/random.ts";
import type { OpenPlacement, PlacementOrder, PlacementStream, PlacementTables } from "../../mesh/placement-stream.ts";
import { GrpcError } from "../../net/grpc/status.ts";
import { PLACEMENT_RETRY_MS } from "./limits.ts";

/** What happens here while the sidecars of a namespace agree on new tables. */
export interface PlacementFollower {
  /** New tables: resolves when nothing runs here any more that belongs elsewhere now. Calls of changed types wait. */
  tablesChanged(tables: PlacementTables): Promise<void>;
  /** All sidecars have them. */
  tablesAgreed(version: bigint): void;
  /** The service is lost: resolves when no actor is active here. */
  connectionLost(): Promise<void>;
}

export interface PlacementClientOptions {
  readonly appId: string;
  readonly namespace: string;
  /** Where other sidecars reach this one. */
  readonly ownAddress: string;
  readonly addresses: readonly string[];
  /** Milliseconds for a round of lock, update and unlock. */
  readonly disseminationTimeoutMs: number;
  readonly open: OpenPlacement;
  readonly follower: PlacementFollower;
  readonly onReport?: (() => void) | undefined;
  readonly onOrder?: ((operation: string) => void) | undefined;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/**
 * Follows the placement service: reports which actor types this sidecar hosts, carries out its orders one by one, and
 * goes to the next address when a stream ends (`pkg/actors/internal/placement` of Dapr 1.18.3).
 */
export class PlacementClient {
  readonly #options: PlacementClientOptions;
  readonly #logger: Logger;
  readonly #stop = new AbortController();
  #types: readonly string[] = [];
  #stream: PlacementStream | undefined;
  #isReady = false;
  #running: Promise<void> | undefined;
  #addressIndex = -1;
  #round: Timer | undefined;
  #version = 0n;
  #phase: "lock" | "update" | "unlock" = "lock";

  constructor(options: PlacementClientOptions) {
    this.#options = options;
    this.#logger = options.logger.scope("dapr.runtime.actors.placement");
  }

  /** The last round has ended well, and the stream stands. */
  get isReady(): boolean {
    return this.#isReady;
  }

  /** What this sidecar hosts from now on; told at once where there is a stream. */
  report(types: readonly string[]): void {
    this.#types = types;
    this.#sendReport();
  }

  /** Connects and stays connected; nothing happens when it was called before. */
  start(): void {
    this.#running ??= this.#run();
  }

  async close(): Promise<void> {
    this.#stop.abort(new Error("the sidecar is stopping"));
    this.#stream?.close();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { clock, random } = this.#options;
    while (!this.#stop.signal.aborted) {
      const worked = await this.#follow();
      if (!this.#stop.signal.aborted && !worked) {
        const delayMs = PLACEMENT_RETRY_MS * (0.5 + random.next());
        await sleep(clock, delayMs, this.#stop.signal).catch(() => undefined);
      }
    }
  }

  /** One stream from beginning to end. @returns whether it ever brought an order */
  async #follow(): Promise<boolean> {
    const { addresses, open, follower } = this.#options;
    this.#addressIndex = (this.#addressIndex + 1) % addresses.length;
    const address = addresses[this.#addressIndex] as string;
    let worked = false;
    let failure: unknown;
    this.#phase = "lock";
    this.#version = 0n;
    const stream = open(address);
    this.#stream = stream;
    try {
      this.#sendReport();
      for await (const order of stream.orders) {
        if (!worked) {
          worked = true;
          this.#logger.info(`Connected to placement ${address}`);
        }
        await this.#carryOut(order, stream);
      }
    } catch (error) {
      failure = error;
    }
    this.#stream = undefined;
    this.#isReady = false;
    this.#endRound();
    stream.close();
    if (!this.#stop.signal.aborted) {
      this.#tellLoss(address, worked, failure);
      await follower.connectionLost();
    }
    return worked;
  }

  /** Finding the leader among several is not worth a line each time. */
  #tellLoss(address: string, worked: boolean, failure: unknown): void {
    const notLeader = GrpcError.is(failure) && failure.code === GRPC_STATUS.FAILED_PRECONDITION;
    const text = failure === undefined ? "EOF" : goErrorText(failure);
    if (notLeader) {
      this.#logger.debug(`Placement stream closed: ${text}. Reconnecting...`);
    } else if (worked) {
      this.#logger.info(`Placement stream closed: ${text}. Reconnecting...`);
    } else {
      this.#logger.error(`Failed to connect to placement service: ${address}: ${text}. Retrying...`);
    }
  }

  async #carryOut(order: PlacementOrder, stream: PlacementStream): Promise<void> {
    const { onOrder } = this.#options;
    onOrder?.(order.operation);
    this.#logger.debug(`Handling placement order=${order.operation} version=${order.version}`);
    switch (order.operation) {
      case "lock":
        this.#phase = "lock";
        this.#version = order.version;
        this.#beginRound(stream);
        stream.send({ kind: "lock", version: order.version });
        return;
      case "update":
        await this.#update(order, stream);
        return;
      case "unlock":
        this.#unlock(order, stream);
        return;
      default:
        throw new Error(`unknown operation: ${order.operation}`);
    }
  }

  async #update(order: PlacementOrder, stream: PlacementStream): Promise<void> {
    const { follower } = this.#options;
    if (this.#version > order.version) {
      throw new Error(`version mismatch: expected ${this.#version}, got ${order.version}`);
    }
    // Draining has limits of its own.
    this.#endRound();
    await follower.tablesChanged(order.tables ?? { types: new Map(), replicationFactor: 0 });
    if (this.#stream !== stream) {
      return;
    }
    this.#phase = "update";
    this.#beginRound(stream);
    stream.send({ kind: "update", version: this.#version });
  }

  #unlock({ version }: PlacementOrder, stream: PlacementStream): void {
    const { follower, namespace, appId } = this.#options;
    if (this.#phase !== "update") {
      this.#logger.warn("Invalid operation sequence: expected UPDATE before UNLOCK, ignoring unlock");
      return;
    }
    if (this.#version > version) {
      this.#logger.error(`Version mismatch: expected ${this.#version}, got ${version}, ignoring unlock`);
      return;
    }
    this.#version = version;
    this.#phase = "unlock";
    this.#endRound();
    this.#logger.info(`Dissemination complete for version ${version}, unlocking ${namespace}/${appId}`);
    this.#isReady = true;
    follower.tablesAgreed(version);
    stream.send({ kind: "unlock", version });
  }

  #beginRound(stream: PlacementStream): void {
    this.#endRound();
    const { clock, disseminationTimeoutMs } = this.#options;
    this.#round = clock.after(disseminationTimeoutMs, () => {
      this.#logger.warn(
        `Dissemination timeout after ${formatGoDuration(disseminationTimeoutMs)} for version ${this.#version}, closing stream to reconnect`,
      );
      stream.close();
    });
  }

  #endRound(): void {
    this.#round?.cancel();
    this.#round = undefined;
  }

  #sendReport(): void {
    const { ownAddress, onReport } = this.#options;
    if (this.#stream !== undefined) {
      onReport?.();
      this.#stream.send({ kind: "report", address: ownAddress, types: this.#types });
    }
  }
}
