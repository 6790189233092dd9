import { errorMessage } from "../kit/error-message.ts";
import type { Logger } from "../kit/logger.ts";
import type { GrpcServer } from "../net/grpc/server.ts";
import type { AcceptStream, Transport } from "../net/h2/transport.ts";
import { type Listener, listen } from "../net/http/listener.ts";
import type { LocalServices } from "./local-services.ts";

const LOOPBACK = "127.0.0.1";

/** Milliseconds that streams get to end in when the services stop: sidecars have left before. */
const CLOSE_GRACE_MS = 200;

/** Where sidecars in other processes of this machine reach the services; undefined for one that could not be opened. */
export interface LoopbackAddresses {
  readonly placement: string | undefined;
  readonly scheduler: string | undefined;
}

/** Local services on free ports of the loopback address, for sidecars in processes of their own. */
export class LoopbackServices {
  readonly #services: LocalServices;
  readonly #transport: Transport;
  readonly #logger: Logger;
  readonly #listeners: Listener[] = [];
  readonly #servers: GrpcServer[] = [];

  constructor(services: LocalServices, transport: Transport, logger: Logger) {
    this.#services = services;
    this.#transport = transport;
    this.#logger = logger;
  }

  /** Opens both; a service that cannot be is told in the log, and there are no actors, or no jobs. Call it once. */
  async open(): Promise<LoopbackAddresses> {
    const [placement, scheduler] = await Promise.all([
      this.#opened("actors", () => this.#openPlacement()),
      this.#opened("jobs and reminders", () => this.#openScheduler()),
    ]);
    return { placement, scheduler };
  }

  /** The services themselves are closed by whoever has made them. */
  async close(): Promise<void> {
    await Promise.all([
      ...this.#servers.map((server) => server.close(CLOSE_GRACE_MS)),
      ...this.#listeners.map((listener) => listener.close(CLOSE_GRACE_MS)),
    ]);
  }

  async #opened(what: string, open: () => Promise<string>): Promise<string | undefined> {
    try {
      return await open();
    } catch (error) {
      this.#logger.error(`there are no ${what}: ${errorMessage(error)}`);
      return undefined;
    }
  }

  async #openPlacement(): Promise<string> {
    const { createPlacementServer } = await import("./placement/placement-door.ts");
    const service = await this.#services.placementService();
    const server = createPlacementServer({ service, refusal: () => undefined, logger: this.#logger });
    this.#servers.push(server);
    return await this.#listen(server.accept);
  }

  async #openScheduler(): Promise<string> {
    const scheduler = await this.#services.scheduler.share();
    const address = await this.#listen(scheduler.accept);
    scheduler.announce(address);
    return address;
  }

  async #listen(accept: AcceptStream): Promise<string> {
    const listener = await listen({ host: LOOPBACK, port: 0 }, { h2: this.#transport.createServer(accept) });
    this.#listeners.push(listener);
    return `${LOOPBACK}:${listener.port}`;
  }
}
