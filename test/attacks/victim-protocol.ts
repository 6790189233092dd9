import type { CutOff, TransportOptions } from "../../src/net/h2/transport.ts";

/** What the process under attack is asked, over its IPC channel. */
export type VictimCommand =
  | { readonly do: "serve"; readonly options: TransportOptions }
  /** Calls itself until its client is as fast as it gets. */
  | { readonly do: "warm up" }
  /** Opens streams to a server at a port and holds them; their ends are in the state. */
  | { readonly do: "call"; readonly port: number; readonly streams: number; readonly options: TransportOptions }
  | { readonly do: "state" }
  /** The same after a collection, which costs CPU of its own. */
  | { readonly do: "collect" };

/** What it says to `serve`: the port; to the others: how it is. */
export interface VictimState {
  readonly port: number;
  /** User and system time since its start, in milliseconds. */
  readonly cpuMs: number;
  /** Heap and buffers. */
  readonly memoryBytes: number;
  /** Accepted connections that are still open. */
  readonly connections: number;
  /** Streams that its handlers have not been told the end of. */
  readonly streams: number;
  readonly cutOffs: readonly CutOff[];
  /** Ends of the streams of `call`, by HTTP/2 error code. */
  readonly ends: readonly number[];
}
