import { create } from "@bufbuild/protobuf";
import { goErrorText } from "../app/go-error-text.ts";
import { GRPC_STATUS } from "../errors/grpc-status.ts";
import { type Clock, sleep } from "../kit/clock.ts";
import type { Logger } from "../kit/logger.ts";
import type { Random } from "../kit/random.ts";
import { methodsOf } from "../net/grpc/protobuf.ts";
import { GrpcError } from "../net/grpc/status.ts";
import type { GrpcClient } from "../net/grpc/types.ts";
import { Scheduler, WatchHostsRequestSchema } from "../wire/gen/dapr/proto/scheduler/v1/scheduler_pb.js";
import { Backoff } from "./backoff.ts";
import { RECONNECT_DELAY_MS, RECONNECT_DELAY_MS_MAX } from "./limits.ts";
import type { ConnectScheduler } from "./types.ts";

const { watchHosts } = methodsOf(Scheduler);

export interface HostWatchOptions {
  /** At least one; any of them knows all others. */
  readonly addresses: readonly string[];
  readonly connect: ConnectScheduler;
  /** Told of all schedulers there are, first and after every change. */
  readonly onHosts: (addresses: readonly string[]) => void;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/** Asks one scheduler after the other which of them there are, and stays with the one that answers. */
export class HostWatch {
  readonly #options: HostWatchOptions;
  readonly #logger: Logger;
  readonly #backoff: Backoff;
  readonly #stop = new AbortController();
  #running: Promise<void> | undefined;

  constructor(options: HostWatchOptions) {
    this.#options = options;
    this.#logger = options.logger.scope("dapr.runtime.scheduler.watchhosts");
    this.#backoff = new Backoff(options.random, RECONNECT_DELAY_MS, RECONNECT_DELAY_MS_MAX);
  }

  start(): void {
    this.#running ??= this.#run();
  }

  async close(): Promise<void> {
    this.#stop.abort(new Error("schedulers are no longer watched"));
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      if (await this.#watch()) {
        return;
      }
      await sleep(this.#options.clock, this.#backoff.next(), signal).catch(() => undefined);
    }
  }

  /** One stream, to its end. @returns true when there is nothing to watch: schedulers before 1.15 tell no hosts */
  async #watch(): Promise<boolean> {
    const { addresses, random, connect, onHosts } = this.#options;
    const { signal } = this.#stop;
    const address = addresses[Math.floor(random.next() * addresses.length)] ?? "";
    let client: GrpcClient | undefined;
    try {
      client = connect(address);
      const stream = client.stream(watchHosts, { signal });
      // What it fails with, the answers fail with too.
      stream.send(create(WatchHostsRequestSchema), true)?.catch(() => undefined);
      for await (const { hosts } of stream.responses) {
        this.#backoff.reset();
        const found = hosts.map((host) => host.address);
        this.#logger.info(`Connected and received scheduler hosts addresses: [${found.join(" ")}]`);
        onHosts(found);
      }
    } catch (error) {
      if (signal.aborted) {
        return true;
      }
      if (GrpcError.is(error) && error.code === GRPC_STATUS.UNIMPLEMENTED) {
        onHosts(addresses);
        return true;
      }
      this.#logger.warn(`Scheduler WatchHosts stream error, reconnecting: ${goErrorText(error)}`);
    } finally {
      await client?.close();
    }
    return false;
  }
}
