import { GRPC_STATUS } from "../../errors/grpc-status.ts";
import { goErrorText } from "../../app/go-error-text.ts";
import { type Clock, sleep, type Timer } from "../../kit/clock.ts";
import type { Logger } from "../../kit/logger.ts";
import type { Random } from "../../kit/random.ts";
import type {
  HeldTables,
  OpenPlacement,
  PlacementOrder,
  PlacementReport,
  PlacementStream,
} from "../../mesh/placement-stream.ts";
import { grpcStatusName, GrpcError } from "../../net/grpc/status.ts";
import { LEASE_ASK_MS, LEAVE_WAIT_MS, ORDERS_WAITING_MAX, PLACEMENT_RETRY_MS, STREAM_MS_MIN } from "./limits.ts";
import type { OwnershipLease } from "./ownership-lease.ts";
import { type PlacementFollower, PlacementRounds, type RoundOrder } from "./placement-rounds.ts";

export interface PlacementClientOptions {
  readonly appId: string;
  readonly namespace: string;
  /** Where other sidecars reach this one. */
  readonly ownAddress: string;
  readonly addresses: readonly string[];
  /** Milliseconds for a round of lock, update and unlock of a service that grants no leases. */
  readonly disseminationTimeoutMs: number;
  readonly open: OpenPlacement;
  readonly follower: PlacementFollower;
  readonly lease: OwnershipLease;
  readonly onReport?: (() => void) | undefined;
  readonly onReportFailed?: ((reason: string) => void) | undefined;
  readonly onOrder?: ((operation: string) => void) | undefined;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/**
 * Follows the placement service: reports which actor types this sidecar hosts, carries out its orders one by one, and
 * goes to the next address when a stream ends. With a service of ours the actors stay while the lease holds, whatever
 * becomes of the stream; with one of Dapr's they are given up with it (`pkg/actors/internal/placement` of 1.18.3).
 */
export class PlacementClient {
  readonly #options: PlacementClientOptions;
  readonly #logger: Logger;
  readonly #stop = new AbortController();
  readonly #rounds: PlacementRounds;
  #types: readonly string[] = [];
  #stream: PlacementStream | undefined;
  #running: Promise<void> | undefined;
  #addressIndex = -1;
  #incarnation: string;
  /** The last service that answered grants leases. */
  #isOurs = false;
  /** Milliseconds of a lease; undefined while nothing is held by one. */
  #leaseMs: number | undefined;
  #asking: Timer | undefined;
  /** What is being carried out; orders wait for each other, grants of leases wait for nothing. */
  #work: Promise<unknown> = Promise.resolve();

  constructor(options: PlacementClientOptions) {
    this.#options = options;
    this.#logger = options.logger.scope("dapr.runtime.actors.placement");
    this.#incarnation = options.random.uuid();
    this.#rounds = new PlacementRounds({ ...options, logger: this.#logger });
    options.lease.watch(
      () => this.#leaseOver(),
      () => options.follower.leaseHeld(),
    );
  }

  /** The last round has ended well, and the stream stands. */
  get isReady(): boolean {
    return this.#rounds.isReady;
  }

  /** What this sidecar hosts from now on; told at once where there is a stream. */
  report(types: readonly string[]): void {
    this.#types = types;
    this.#sendReport(undefined);
  }

  /** Connects and stays connected; nothing happens when it was called before. */
  start(): void {
    this.#running ??= this.#run();
  }

  /** No actor is active any more: a service of ours is told, so that others may have them at once. */
  async close(): Promise<void> {
    const { clock, lease } = this.#options;
    lease.close();
    this.#stop.abort(new Error("the sidecar is stopping"));
    if (this.#isOurs && this.#stream !== undefined) {
      const late = Promise.withResolvers<void>();
      const timer = clock.after(LEAVE_WAIT_MS, late.resolve);
      this.#stream.send({ kind: "leave" });
      await Promise.race([this.#running, late.promise]);
      timer.cancel();
    }
    this.#stream?.close();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { clock, random } = this.#options;
    while (!this.#stop.signal.aborted) {
      const openedMs = clock.monotonicMs();
      const worked = await this.#follow();
      const isShort = clock.monotonicMs() - openedMs < STREAM_MS_MIN;
      if (!this.#stop.signal.aborted && (!worked || isShort)) {
        const delayMs = PLACEMENT_RETRY_MS * (0.5 + random.next());
        await sleep(clock, delayMs, this.#stop.signal).catch(() => undefined);
      }
    }
  }

  /** One stream from beginning to end. @returns whether it ever brought an order */
  async #follow(): Promise<boolean> {
    const { addresses, open } = this.#options;
    this.#addressIndex = (this.#addressIndex + 1) % addresses.length;
    const address = addresses[this.#addressIndex] as string;
    let worked = false;
    let waiting = 0;
    let failure: unknown;
    const held = this.#held();
    const stream = open(address);
    this.#stream = stream;
    const onFailure = (error: unknown): void => {
      failure ??= error;
      stream.close();
    };
    try {
      this.#sendReport(held);
      for await (const order of stream.orders) {
        if (!worked) {
          worked = true;
          this.#logger.info(`Connected to placement ${address}`);
          this.#begin(order);
        }
        if (order.operation === "lease") {
          this.#options.lease.granted(order.askedMs, this.#leaseMs ?? 0);
        } else if (order.operation !== "welcome") {
          waiting += 1;
          this.#work = this.#work
            .then(() => this.#carryOut(order, stream))
            .catch(onFailure)
            .finally(() => (waiting -= 1));
          if (waiting >= ORDERS_WAITING_MAX) {
            await this.#work;
          }
        }
      }
    } catch (error) {
      failure ??= error;
    }
    await this.#lost(stream, address, worked, failure);
    return worked;
  }

  /** The first order of a stream shows what kind of service it comes from. */
  #begin(order: PlacementOrder): void {
    const { lease, clock } = this.#options;
    this.#isOurs = order.operation === "welcome";
    if (order.operation !== "welcome") {
      this.#giveUp("the placement service grants no leases");
      this.#rounds.begin();
      lease.guard();
      return;
    }
    if (!order.resumed) {
      this.#giveUp("the placement service does not know that this sidecar has any");
      this.#rounds.begin();
    }
    this.#leaseMs = order.leaseMs;
    if (Number.isFinite(order.leaseMs)) {
      this.#asking = clock.every(LEASE_ASK_MS, () => this.#stream?.send({ kind: "lease", askedMs: this.#nowMs() }));
    }
  }

  async #carryOut(order: RoundOrder, stream: PlacementStream): Promise<void> {
    if (this.#stream !== stream) {
      return;
    }
    this.#options.onOrder?.(order.operation);
    this.#logger.debug(`Handling placement order=${order.operation} version=${order.version}`);
    const send = (report: PlacementReport): void => {
      if (this.#stream === stream) {
        stream.send(report);
      }
    };
    await this.#rounds.carryOut(order, send, this.#isOurs ? undefined : () => stream.close());
  }

  async #lost(stream: PlacementStream, address: string, worked: boolean, failure: unknown): Promise<void> {
    const { follower, lease, onReportFailed } = this.#options;
    this.#stream = undefined;
    this.#asking?.cancel();
    this.#rounds.end();
    stream.close();
    if (this.#stop.signal.aborted) {
      return;
    }
    if (!worked) {
      onReportFailed?.(GrpcError.is(failure) ? grpcStatusName(failure.code) : "EOF");
    }
    this.#tellLoss(address, worked, failure);
    if (!this.#isOurs) {
      lease.end();
      await follower.connectionLost();
    } else if (GrpcError.is(failure) && failure.code === GRPC_STATUS.DEADLINE_EXCEEDED) {
      // The service does not wait for this sidecar any longer: the rest of the lease would only keep its actors from others.
      this.#giveUp("the placement service waits no longer");
    }
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

  #leaseOver(): void {
    if (!this.#isOurs) {
      this.#logger.warn("Giving up all actors: this process stood still for too long");
    }
    this.#giveUp("the lease of the placement service has run out");
    const stream = this.#stream;
    // What has arrived on it while the process stood still is not listened to any more.
    this.#stream = undefined;
    stream?.close();
  }

  /** From here on this sidecar is a new one to the service; tables wait until its actors are deactivated. */
  #giveUp(why: string): void {
    if (this.#leaseMs === undefined) {
      return;
    }
    this.#logger.warn(`Giving up all actors: ${why}`);
    const { follower, lease, random } = this.#options;
    this.#leaseMs = undefined;
    lease.end();
    this.#incarnation = random.uuid();
    this.#work = Promise.all([this.#work, follower.ownershipLost()]);
  }

  #held(): HeldTables | undefined {
    const { follower, lease } = this.#options;
    if (this.#leaseMs === undefined) {
      return undefined;
    }
    if (!lease.holds()) {
      this.#giveUp("the lease of the placement service has run out");
      return undefined;
    }
    // Who has had no tables knows nobody who may hold something.
    const { version } = this.#rounds;
    return version === 0n ? undefined : { version, hosts: follower.knownHosts() };
  }

  #nowMs(): number {
    return Math.floor(this.#options.clock.monotonicMs());
  }

  #sendReport(held: HeldTables | undefined): void {
    const { ownAddress, onReport } = this.#options;
    if (this.#stream !== undefined) {
      onReport?.();
      this.#stream.send({
        kind: "report",
        address: ownAddress,
        types: this.#types,
        incarnation: this.#incarnation,
        held,
        askedMs: this.#nowMs(),
      });
    }
  }
}
