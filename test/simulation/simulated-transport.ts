import type {
  AcceptStream,
  Transport,
  TransportClient,
  TransportOptions,
  TransportServer,
} from "../../src/net/h2/transport.ts";
import { Connection, type Listening } from "./connection.ts";
import { Lane, type Network } from "./network.ts";
import type { Machine, SimulatedProcess } from "./simulated-process.ts";
import { StreamEnd } from "./stream-end.ts";
import type { World } from "./world.ts";

/** Milliseconds of gRPC's units of time. */
const TIMEOUT_UNITS: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1_000, m: 1, u: 1e-3, n: 1e-6 };

/** Milliseconds that streams may take when their server stops. */
const GRACE_MS = 500;

/** All addresses of a world at which somebody listens. */
export class Ports {
  readonly #listening = new Map<string, Listening>();

  set(address: string, listening: Listening): void {
    this.#listening.set(address, listening);
  }

  get(address: string): Listening | undefined {
    return this.#listening.get(address);
  }

  close(address: string, listening: Listening): void {
    if (this.#listening.get(address) === listening) {
      this.#listening.delete(address);
    }
  }
}

/** HTTP/2's streams between simulated processes: all of gRPC runs on it as it does on sockets. */
export class SimulatedTransport implements Transport {
  readonly #world: World;
  readonly #network: Network;
  readonly #ports: Ports;
  readonly #process: SimulatedProcess;
  readonly #clients = new Set<SimulatedClient>();

  constructor(world: World, network: Network, ports: Ports, process: SimulatedProcess) {
    this.#world = world;
    this.#network = network;
    this.#ports = ports;
    this.#process = process;
  }

  /** Streams of clients that have not ended. */
  get openStreams(): number {
    return [...this.#clients].reduce((sum, client) => sum + client.openStreams, 0);
  }

  /** Takes connections at an address, `machine:port`. @returns stops it; streams under way may end within a moment */
  listen(address: string, accept: AcceptStream, options: TransportOptions = {}): () => Promise<void> {
    const process = this.#process;
    const listening: Listening = { process, accept, options, connections: new Set(), isClosing: false };
    this.#ports.set(address, listening);
    process.onEnd(() => this.#ports.close(address, listening));
    return async () => {
      listening.isClosing = true;
      this.#ports.close(address, listening);
      for (const connection of listening.connections) {
        connection.isGoingAway = true;
      }
      await process.sleep(GRACE_MS);
      for (const connection of listening.connections) {
        if (connection.server !== undefined) {
          connection.end(connection.server);
        }
      }
    };
  }

  /** What listens at an address; a system answers for its processes, also for those that are stopped. */
  probe(address: string, timeoutMs: number): Promise<"open" | "refused" | "unknown"> {
    const machine = this.#machineOf(address);
    const process = this.#process;
    const lane = new Lane();
    return new Promise((resolve) => {
      const timer = process.clock.after(timeoutMs, () => resolve("unknown"));
      this.#network.post(process.machine, machine, lane, "probe", () => {
        if (!machine.isUp) {
          return;
        }
        const found = this.#ports.get(address) === undefined ? "refused" : "open";
        this.#network.post(machine, process.machine, lane, found, () =>
          process.take(lane, found, () => {
            timer.cancel();
            resolve(found);
          }),
        );
      });
    });
  }

  /** @throws Error always: there are no sockets */
  createServer(): TransportServer {
    throw new Error("a simulated process listens by `listen`");
  }

  createClient(authority: string, options: TransportOptions = {}): TransportClient {
    const machine = this.#machineOf(authority);
    const find = () => ({ machine, listening: this.#ports.get(authority) });
    const make = (): Connection => new Connection(this.#network, this.#process, authority, find, options);
    const client = new SimulatedClient(this.#world, this.#process, make, () => this.#clients.delete(client));
    this.#clients.add(client);
    return client;
  }

  #machineOf(address: string): Machine {
    const name = address.slice(0, address.lastIndexOf(":"));
    const machine = this.#network.machines.get(name);
    if (machine === undefined) {
      throw new Error(`there is no machine ${name}`);
    }
    return machine;
  }
}

class SimulatedClient implements TransportClient {
  readonly #world: World;
  readonly #process: SimulatedProcess;
  readonly #make: () => Connection;
  readonly #onClose: () => void;
  readonly #connections = new Set<Connection>();
  #current: Connection | undefined;
  #isClosed = false;

  constructor(world: World, process: SimulatedProcess, make: () => Connection, onClose: () => void) {
    this.#world = world;
    this.#process = process;
    this.#make = make;
    this.#onClose = onClose;
  }

  get openStreams(): number {
    return [...this.#connections].reduce((sum, { client }) => sum + client.ends.size, 0);
  }

  open: TransportClient["open"] = (head, endStream, handler) => {
    if (this.#current?.isUsable !== true) {
      this.#current = this.#make();
      this.#connections.add(this.#current);
    }
    const connection = this.#current;
    for (const old of this.#connections) {
      if (old !== connection && old.client.isOver) {
        this.#connections.delete(old);
      }
    }
    const end = StreamEnd.open(this.#world, connection, head, handler);
    if (this.#isClosed) {
      queueMicrotask(() => {
        end.connectFailed(new Error("the client is closed"));
        end.close(-1);
      });
      return end;
    }
    this.#watchDeadline(head.headers, end, handler);
    if (endStream) {
      end.send(new Uint8Array(), true);
    }
    return end;
  };

  close(): Promise<void> {
    this.#isClosed = true;
    for (const connection of this.#connections) {
      connection.end(connection.client);
    }
    this.#connections.clear();
    this.#onClose();
    return Promise.resolve();
  }

  /** gRPC's deadlines go by the real clock, on which nothing takes time here: they are told by the virtual one. */
  #watchDeadline(headers: readonly string[], end: StreamEnd, handler: object): void {
    const at = headers.indexOf("grpc-timeout");
    const text = at === -1 ? undefined : headers[at + 1];
    const unit = TIMEOUT_UNITS[text?.at(-1) ?? ""];
    if (text === undefined || unit === undefined || !("onDeadline" in handler)) {
      return;
    }
    const { onDeadline } = handler;
    const timer = this.#process.clock.after(Number(text.slice(0, -1)) * unit, () => {
      if (!end.isClosed && typeof onDeadline === "function") {
        Reflect.apply(onDeadline, handler, []);
      }
    });
    end.onClosed = () => timer.cancel();
  }
}
