import type { LoadTarget } from "./load-target.ts";

/** One measured operation: how a started sidecar is prepared for it, and the request that is repeated. */
export interface Operation {
  readonly name: string;
  /** The yardstick whose cost the figure is a multiple of. */
  readonly yardstick: "E" | "P";
  /** Most multiples that the project aims at. */
  readonly aim: number;
  /**
   * `pair` measures two sidecars with an app behind the second, in `grpc-pair` one that speaks gRPC; `subscriber` counts
   * what reaches an app, not what is sent; `stateful` has an app that hosts actors and takes jobs, placement and scheduler.
   */
  readonly topology: "single" | "pair" | "grpc-pair" | "subscriber" | "stateful";
  /** Placement and scheduler take part in the operation: what they use is measured too. */
  readonly controlPlane?: boolean;
  /** The request registers one trigger, due at `DUE_MARK`; measured is what so many of them cost when they are due at once. */
  readonly burst?: number;
  /** Nothing but the memory is measured that so many of its requests add to the sidecar, each an actor. */
  readonly idleActors?: number;
  /** Requests a second at which latency is taken. */
  readonly fixedRate: number;
  /** File of the database that the operation writes to, in the resources' folder: its commits are counted. */
  readonly database?: string;
  /** The store has a timeout, retries and a circuit breaker. */
  readonly policy?: boolean;
  readonly prepare?: LoadRequest;
  readonly request: LoadRequest;
  /** Operations that one request stands for: figures are per operation. 1 when absent. */
  readonly unitsPerRequest?: number;
}

export type LoadRequest = Omit<LoadTarget, "port">;
