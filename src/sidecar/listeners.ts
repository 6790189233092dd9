import { rm } from "node:fs/promises";
import { join } from "node:path";
import { errorMessage } from "../kit/error-message.ts";
import type { Logger } from "../kit/logger.ts";
import type { GrpcServer } from "../net/grpc/server.ts";
import { lazyServer } from "../net/h2/lazy-server.ts";
import type { Transport, TransportServer } from "../net/h2/transport.ts";
import { acceptHttp } from "../net/http/h2-exchange.ts";
import { type ListenAddress, type Listener, listen, type MutualTls } from "../net/http/listener.ts";
import type { HttpHandler } from "../net/http/types.ts";
import { removeDeadSocket } from "./dead-socket.ts";

/** Opens ports for the doors of one sidecar and closes them together. */
export class Listeners {
  readonly #transport: Transport;
  readonly #logger: Logger;
  readonly #open: {
    readonly listener: Listener;
    readonly describe: string;
    readonly socketPath: string | undefined;
  }[] = [];

  constructor(transport: Transport, logger: Logger) {
    this.#transport = transport;
    this.#logger = logger;
  }

  /** Serves HTTP/1.1 and, unless it is switched off, HTTP/2 by prior knowledge. @returns the port, 0 for a socket */
  async http(
    addresses: readonly ListenAddress[],
    handler: HttpHandler,
    options: { readonly headerBytesMax: number; readonly h2c: boolean },
  ): Promise<number> {
    return await this.#openFirst(addresses, "HTTP server", (address) =>
      listen(address, {
        http: handler,
        headerBytesMax: options.headerBytesMax,
        h2: options.h2c
          ? this.#transport.createServer(acceptHttp(handler), { headerBytesMax: options.headerBytesMax })
          : undefined,
      }),
    );
  }

  /** Serves gRPC; the server is loaded with its first connection. @returns the port, 0 for a socket */
  async grpc(
    addresses: readonly ListenAddress[],
    load: () => Promise<GrpcServer>,
    mutualTls?: MutualTls,
  ): Promise<number> {
    const server = async (): Promise<TransportServer> => {
      try {
        return this.#transport.createServer((await load()).accept);
      } catch (error) {
        this.#logger.error(`bug: the gRPC server could not be made: ${errorMessage(error)}`);
        throw error;
      }
    };
    return await this.#openFirst(addresses, "gRPC server", (address) =>
      listen(address, { h2: lazyServer(server), mutualTls }),
    );
  }

  /** Stops accepting, lets what is in flight end within `graceMs`, and removes socket files. */
  async close(graceMs: number): Promise<void> {
    await Promise.all(
      this.#open.splice(0).map(async ({ listener, describe, socketPath }) => {
        this.#logger.info(`Closing ${describe} ${listener.address}…`);
        await listener.close(graceMs);
        if (socketPath !== undefined) {
          await rm(socketPath, { force: true });
        }
      }),
    );
  }

  /** At least one address must open; the others are told in the log. A port 0 becomes the first one's real port. */
  async #openFirst(
    addresses: readonly ListenAddress[],
    describe: string,
    open: (address: ListenAddress) => Promise<Listener>,
  ): Promise<number> {
    let port: number | undefined;
    let failure: unknown;
    for (const address of addresses) {
      const wanted = "port" in address && address.port === 0 && port !== undefined ? { ...address, port } : address;
      const socketPath = "path" in wanted ? wanted.path : undefined;
      if (socketPath !== undefined && (await removeDeadSocket(socketPath))) {
        this.#logger.warn(`removed ${socketPath}, which a process that was killed has left behind`);
      }
      try {
        const listener = await open(wanted);
        this.#open.push({ listener, describe, socketPath });
        port ??= listener.port;
        this.#logger.info(
          `${describe} listening on ${socketPath === undefined ? "TCP address" : "UNIX socket"}: ${socketPath ?? listener.address}`,
        );
      } catch (error) {
        failure = error;
        this.#logger.warn(
          `Failed to listen for ${describe}: ${error instanceof Error ? error.message : String(error)}`,
        );
      }
    }
    if (port === undefined) {
      throw new Error(
        `could not listen on any endpoint: ${failure instanceof Error ? failure.message : "no listen address is given"}`,
      );
    }
    return port;
  }
}

/** The addresses of an API: the listen addresses with a port, or the one socket in `socketFolder`. Empty names mean all interfaces. */
export function apiAddresses(options: {
  readonly listenAddresses: readonly string[];
  readonly unixDomainSocket: string;
  readonly appId: string;
  readonly port: number;
  readonly kind: "http" | "grpc";
}): readonly ListenAddress[] {
  if (options.unixDomainSocket !== "") {
    return [{ path: join(options.unixDomainSocket, `dapr-${options.appId}-${options.kind}.socket`) }];
  }
  const hosts = options.listenAddresses.length === 0 ? [""] : options.listenAddresses;
  return hosts.map((host) => tcpAddress(host, options.port));
}

/** `[::1]` as flags write it becomes `::1`; an empty host is every interface. */
export function tcpAddress(host: string, port: number): ListenAddress {
  return { host: host === "" ? "::" : host.replace(/^\[(.*)\]$/, "$1"), port };
}
