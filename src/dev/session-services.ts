import { LocalServices } from "../control-plane/local-services.ts";
import type { LoopbackAddresses, LoopbackServices } from "../control-plane/loopback-services.ts";
import type { Logger } from "../kit/logger.ts";
import { transportOf } from "../net/h2/implementations.ts";
import type { SidecarOptions } from "../sidecar/options.ts";
import { consoleLogger } from "./console-logger.ts";
import type { SessionOptions } from "./session-types.ts";

/**
 * The placement service and the scheduler of a session, for its sidecars that are told no address of others: without ports
 * for those in this process, on loopback for those in processes of their own.
 */
export class SessionServices {
  readonly local: LocalServices;
  readonly #logger: Logger;
  #loopback: LoopbackServices | undefined;
  #addresses: LoopbackAddresses = { placement: undefined, scheduler: undefined };

  constructor({ clock, random, console, jobsFolder }: SessionOptions) {
    this.#logger = consoleLogger(console);
    this.local = new LocalServices({ jobsFolder, clock, random, logger: this.#logger });
  }

  /** For sidecars in processes of their own; what cannot be opened is told. */
  async openPorts(): Promise<void> {
    const { LoopbackServices } = await import("../control-plane/loopback-services.ts");
    this.#loopback = new LoopbackServices(this.local, transportOf("own"), this.#logger);
    this.#addresses = await this.#loopback.open();
  }

  /** daprd's flags for what its other flags and the environment name no service of. */
  flagsFor({ placement, scheduler }: SidecarOptions): readonly string[] {
    const own = this.#addresses;
    return [
      ...(own.placement === undefined || placement.addresses.length > 0
        ? []
        : [`--placement-host-address=${own.placement}`]),
      ...(own.scheduler === undefined || scheduler.addresses.length > 0
        ? []
        : [`--scheduler-host-address=${own.scheduler}`]),
    ];
  }

  /** Sidecars have ended before. */
  async close(): Promise<void> {
    await this.#loopback?.close();
    await this.local.close();
  }
}
