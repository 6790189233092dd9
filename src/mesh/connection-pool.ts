import { GRPC_STATUS } from "../errors/grpc-status.ts";
import type { Clock, Timer } from "../kit/clock.ts";
import { GrpcError } from "../net/grpc/status.ts";
import type { GrpcClient } from "../net/grpc/types.ts";
import {
  CALLS_PER_CONNECTION,
  CONNECTION_IDLE_MS,
  CONNECTIONS_PER_PEER_MAX,
  PEERS_MAX,
  SWEEP_INTERVAL_MS,
} from "./limits.ts";
import type { InvocationTarget } from "./target.ts";

/** Makes a client of a sidecar's internal port; the target is who must answer there. */
export type ConnectPeer = (address: string, target: InvocationTarget) => GrpcClient;

interface Connection {
  readonly client: GrpcClient;
  calls: number;
  idleSinceMs: number;
  retired: boolean;
}

/** A connection lent to one call. Exactly one of its methods is called, once. */
export interface Lease {
  readonly client: GrpcClient;
  readonly release: () => void;
  /** The connection is suspect: nobody gets it again, and it is closed when its last call has ended. */
  readonly retire: () => void;
}

/** Connections to other sidecars, shared by calls and closed some time after the last one. */
export class ConnectionPool {
  readonly #connect: ConnectPeer;
  readonly #clock: Clock;
  readonly #peers = new Map<string, Connection[]>();
  /** Those that nobody gets again and that still have calls. */
  readonly #retired = new Set<Connection>();
  #sweeper: Timer | undefined;

  constructor(connect: ConnectPeer, clock: Clock) {
    this.#connect = connect;
    this.#clock = clock;
  }

  /** @throws GrpcError RESOURCE_EXHAUSTED when there are connections to too many peers */
  lease(address: string, target: InvocationTarget): Lease {
    const key = `${address}/${target.namespace}/${target.appId}`;
    const connections = this.#peers.get(key) ?? this.#addPeer(key);
    const connection = this.#choose(connections, address, target);
    connection.calls += 1;
    const end = (): void => {
      connection.calls -= 1;
      connection.idleSinceMs = this.#clock.monotonicMs();
      this.#closeIfOver(connection);
    };
    return {
      client: connection.client,
      release: end,
      retire: () => {
        this.#retire(key, connection);
        end();
      },
    };
  }

  /** Nobody gets a connection to the address again that is there now: whoever answers there next is another process. */
  retireAt(address: string): void {
    for (const [key, connections] of this.#peers) {
      if (key.startsWith(`${address}/`)) {
        for (const connection of connections.splice(0)) {
          this.#retire(key, connection);
          this.#closeIfOver(connection);
        }
      }
    }
  }

  /** Nobody gets any of the connections again that are there now; each is closed when its last call has ended. */
  retireAll(): void {
    for (const [key, connections] of this.#peers) {
      for (const connection of connections.splice(0)) {
        this.#retire(key, connection);
        this.#closeIfOver(connection);
      }
    }
  }

  /** Closes everything, calls under way included. */
  async close(): Promise<void> {
    this.#sweeper?.cancel();
    this.#sweeper = undefined;
    const connections = [...[...this.#peers.values()].flat(), ...this.#retired];
    this.#peers.clear();
    this.#retired.clear();
    await Promise.all(connections.map(({ client }) => client.close()));
  }

  #addPeer(key: string): Connection[] {
    if (this.#peers.size >= PEERS_MAX) {
      throw new GrpcError(
        GRPC_STATUS.RESOURCE_EXHAUSTED,
        `there are connections to ${PEERS_MAX} other sidecars already`,
      );
    }
    this.#sweeper ??= this.#clock.every(SWEEP_INTERVAL_MS, () => this.#sweep());
    const connections: Connection[] = [];
    this.#peers.set(key, connections);
    return connections;
  }

  #choose(connections: Connection[], address: string, target: InvocationTarget): Connection {
    let best: Connection | undefined;
    for (const connection of connections) {
      if (connection.calls < CALLS_PER_CONNECTION) {
        return connection;
      }
      if (best === undefined || connection.calls < best.calls) {
        best = connection;
      }
    }
    if (best !== undefined && connections.length >= CONNECTIONS_PER_PEER_MAX) {
      return best;
    }
    const opened: Connection = {
      client: this.#connect(address, target),
      calls: 0,
      idleSinceMs: this.#clock.monotonicMs(),
      retired: false,
    };
    connections.push(opened);
    return opened;
  }

  #retire(key: string, connection: Connection): void {
    connection.retired = true;
    this.#retired.add(connection);
    const connections = this.#peers.get(key);
    const index = connections?.indexOf(connection) ?? -1;
    if (connections !== undefined && index !== -1) {
      connections.splice(index, 1);
    }
  }

  #closeIfOver(connection: Connection): void {
    if (connection.retired && connection.calls === 0 && this.#retired.delete(connection)) {
      void connection.client.close();
    }
  }

  #sweep(): void {
    const oldestMs = this.#clock.monotonicMs() - CONNECTION_IDLE_MS;
    for (const [key, connections] of this.#peers) {
      for (const connection of connections.filter((one) => one.calls === 0)) {
        if (connection.idleSinceMs < oldestMs) {
          this.#retire(key, connection);
          this.#closeIfOver(connection);
        }
      }
      if (connections.length === 0) {
        this.#peers.delete(key);
      }
    }
    if (this.#peers.size === 0) {
      this.#sweeper?.cancel();
      this.#sweeper = undefined;
    }
  }
}
