import type { Timer } from "../../src/kit/clock.ts";
import type { AcceptStream, TransportOptions } from "../../src/net/h2/transport.ts";
import { Lane, type Network } from "./network.ts";
import type { Machine, SimulatedProcess } from "./simulated-process.ts";
import type { StreamEnd } from "./stream-end.ts";

/** Milliseconds that a connection may take to come about. */
const CONNECT_TIMEOUT_MS = 10_000;
/** A stream that a server has not looked at. */
const REFUSED_STREAM = 7;

/** Who takes connections at an address. */
export interface Listening {
  readonly process: SimulatedProcess;
  readonly accept: AcceptStream;
  readonly options: TransportOptions;
  readonly connections: Set<Connection>;
  isClosing: boolean;
}

/** Where an address leads, and who takes connections there now. */
export type Find = () => { readonly machine: Machine; readonly listening: Listening | undefined };

/** One end of a connection, in one process. */
export class Side {
  readonly process: SimulatedProcess;
  readonly ends = new Set<StreamEnd>();
  /** Gone, as far as this side knows. */
  isOver = false;
  heardMs = 0;
  keepalive: Timer | undefined;

  constructor(process: SimulatedProcess) {
    this.process = process;
  }
}

type State = "new" | "connecting" | "open" | "over";

/** One HTTP/2 connection: streams between two processes, lost all together when it is lost. */
export class Connection {
  readonly client: Side;
  server: Side | undefined;
  /** The server takes no more streams. */
  isGoingAway = false;
  readonly #network: Network;
  readonly #address: string;
  readonly #find: Find;
  readonly #options: TransportOptions;
  readonly #handshake = new Lane();
  #listening: Listening | undefined;
  #state: State = "new";
  #unsent: (() => void)[] = [];
  #deadline: Timer | undefined;
  #unwatch: (() => void)[] = [];

  constructor(network: Network, client: SimulatedProcess, address: string, find: Find, options: TransportOptions) {
    this.#network = network;
    this.client = new Side(client);
    this.#address = address;
    this.#find = find;
    this.#options = options;
    this.#unwatch.push(client.onEnd(() => this.#died(this.client)));
  }

  get isUsable(): boolean {
    return this.#state !== "over" && !this.client.isOver && !this.isGoingAway;
  }

  /** Sends something to the other side; before the connection stands, once it does. */
  send(from: Side, lane: Lane, label: string, arrive: () => void): void {
    if (from.isOver) {
      return;
    }
    if (this.server === undefined) {
      this.#unsent.push(() => this.send(from, lane, label, arrive));
      this.#connect();
      return;
    }
    const to = from === this.client ? this.server : this.client;
    const { machine } = to.process;
    this.#network.post(from.process.machine, machine, lane, label, () => {
      if (!machine.isUp) {
        return;
      }
      if (to.isOver || !to.process.isAlive) {
        this.#tellLoss(to, from);
        return;
      }
      to.process.take(lane, label, () => {
        if (!to.isOver) {
          to.heardMs = to.process.clock.monotonicMs();
          arrive();
        }
      });
    });
  }

  /** Ends it from one side; the other hears of it when it can. */
  end(side: Side): void {
    this.lose(side);
    const other = side === this.client ? this.server : this.client;
    if (other !== undefined) {
      this.#tellLoss(side, other);
    }
  }

  /** The streams of one side end without a word. */
  lose(side: Side): void {
    if (side.isOver) {
      return;
    }
    side.isOver = true;
    side.keepalive?.cancel();
    this.#deadline?.cancel();
    if (side === this.server) {
      this.#listening?.connections.delete(this);
    }
    if (this.client.isOver && (this.server === undefined || this.server.isOver)) {
      this.#state = "over";
      for (const unwatch of this.#unwatch) {
        unwatch();
      }
    }
    const ends = [...side.ends];
    side.ends.clear();
    if (side.process.isAlive) {
      for (const end of ends) {
        end.close(-1);
      }
    }
  }

  /** A stream of the client's has come to the server. */
  accept(end: StreamEnd): void {
    const listening = this.#listening;
    const side = this.server;
    if (listening === undefined || side === undefined) {
      return;
    }
    if (listening.isClosing || this.isGoingAway) {
      end.reset(REFUSED_STREAM);
      return;
    }
    side.ends.add(end);
    end.handler = listening.accept(end, end.requestHead(), { remoteAddress: this.client.process.name });
  }

  #connect(): void {
    if (this.#state !== "new") {
      return;
    }
    this.#state = "connecting";
    const { process } = this.client;
    this.#deadline = process.clock.after(CONNECT_TIMEOUT_MS, () =>
      this.#refuse(new Error(`no connection to ${this.#address} within ${CONNECT_TIMEOUT_MS} ms`)),
    );
    const { machine } = this.#find();
    this.#network.post(process.machine, machine, this.#handshake, "connects", () => {
      if (!machine.isUp) {
        return;
      }
      const { listening } = this.#find();
      const taken = listening !== undefined && listening.process.isAlive && !listening.isClosing;
      if (taken && !this.client.isOver) {
        this.#listening = listening;
      }
      const answer = new Lane();
      this.#network.post(machine, process.machine, answer, taken ? "connected" : "refused", () =>
        process.take(answer, "connection", () => {
          if (taken) {
            this.#open(listening);
          } else {
            this.#refuse(new Error(`connect ECONNREFUSED ${this.#address}`));
          }
        }),
      );
    });
  }

  #open(listening: Listening): void {
    this.#deadline?.cancel();
    if (this.client.isOver) {
      return;
    }
    const server = new Side(listening.process);
    this.server = server;
    this.#state = "open";
    if (!listening.process.isAlive || listening.isClosing) {
      server.isOver = true;
    } else {
      listening.connections.add(this);
      this.#unwatch.push(listening.process.onEnd(() => this.#died(server)));
      this.#watch(server, listening.options);
    }
    this.#watch(this.client, this.#options);
    for (const send of this.#unsent.splice(0)) {
      send();
    }
  }

  #refuse(error: Error): void {
    this.#deadline?.cancel();
    if (this.client.isOver || this.server !== undefined) {
      return;
    }
    for (const end of this.client.ends) {
      end.connectFailed(error);
    }
    this.lose(this.client);
  }

  /** The system closes the connections of a process that has ended, if it still runs itself. */
  #died(side: Side): void {
    side.keepalive?.cancel();
    if (side.process.machine.isUp) {
      this.end(side);
    } else {
      side.isOver = true;
      if (side === this.server) {
        this.#listening?.connections.delete(this);
      }
    }
  }

  #tellLoss(from: Side, to: Side): void {
    const lane = new Lane();
    this.#network.post(from.process.machine, to.process.machine, lane, "reset", () =>
      to.process.take(lane, "reset", () => this.lose(to)),
    );
  }

  /** Silence is asked about, and an answer that does not come ends the connection. */
  #watch(side: Side, { keepaliveMs = 0, keepaliveTimeoutMs = 20_000 }: TransportOptions): void {
    const { clock } = side.process;
    side.heardMs = clock.monotonicMs();
    if (keepaliveMs <= 0) {
      return;
    }
    const lane = new Lane();
    const listen = (): void => {
      const silentMs = clock.monotonicMs() - side.heardMs;
      if (silentMs < keepaliveMs - 1) {
        side.keepalive = clock.after(keepaliveMs - silentMs, listen);
        return;
      }
      const askedMs = clock.monotonicMs();
      this.#ping(side, lane);
      side.keepalive = clock.after(keepaliveTimeoutMs, () => {
        if (side.heardMs < askedMs) {
          this.end(side);
        } else {
          listen();
        }
      });
    };
    side.keepalive = clock.after(keepaliveMs, listen);
  }

  #ping(side: Side, lane: Lane): void {
    const other = side === this.client ? this.server : this.client;
    this.send(side, lane, "ping", () => {
      if (other !== undefined) {
        this.send(other, lane, "pong", () => undefined);
      }
    });
  }
}
