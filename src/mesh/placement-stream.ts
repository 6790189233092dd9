/** A sidecar that hosts actors, as the placement service tells of it. */
export interface PlacementHost {
  /** Of its internal gRPC server, `host:port`; also what is hashed. */
  readonly address: string;
  readonly appId: string;
}

/** Who hosts what: hosts by actor type. */
export interface PlacementTables {
  readonly types: ReadonlyMap<string, readonly PlacementHost[]>;
  /** Virtual nodes of each host on the ring. */
  readonly replicationFactor: number;
  /** Addresses whose host has reported anew since the tables before: another process may listen there. */
  readonly renewed?: readonly string[];
}

/** What a placement service says. `lock` comes from Dapr's only; `welcome` and `lease` from ours only. */
export type PlacementOrder =
  | { readonly operation: "lock" | "unlock"; readonly version: bigint }
  /** New tables: acknowledged when nothing runs here any more that belongs elsewhere now. */
  | { readonly operation: "update"; readonly version: bigint; readonly tables: PlacementTables }
  /** The service grants leases of `leaseMs`, and knows the actors that were held to be this sidecar's still (`resumed`) or not. */
  | { readonly operation: "welcome"; readonly leaseMs: number; readonly resumed: boolean }
  /** Granted from when it was asked for, `askedMs` as the sidecar said it. */
  | { readonly operation: "lease"; readonly askedMs: number };

/** The tables that a sidecar still acts on when it comes to a service, because its lease from another stream holds. */
export interface HeldTables {
  readonly version: bigint;
  /** Addresses of all hosts in them, and in later ones that have not been agreed on. */
  readonly hosts: readonly string[];
}

/** What a sidecar hosts, and who it is. */
export interface HostReport {
  readonly kind: "report";
  readonly address: string;
  readonly types: readonly string[];
  /** Names one period in which it held actors: another one at the same address means that it holds none of before. */
  readonly incarnation: string;
  /** With the first report of a stream, undefined where nothing is held. */
  readonly held: HeldTables | undefined;
  /** Its monotonic clock; asks for a lease. */
  readonly askedMs: number;
}

/** What a sidecar says; Dapr's services hear of `lease` and `leave` nothing. */
export type PlacementReport =
  | HostReport
  /** The order has been carried out. */
  | { readonly kind: "lock" | "update" | "unlock"; readonly version: bigint }
  | { readonly kind: "lease"; readonly askedMs: number }
  /** No actor is active here any more. */
  | { readonly kind: "leave" };

/** One stream to one placement service. */
export interface PlacementStream {
  send(report: PlacementReport): void;
  /** Ends when the stream does. @throws GrpcError with the service's status */
  readonly orders: AsyncIterable<PlacementOrder>;
  /** Ends the stream and its connection; `orders` then ends or throws. */
  close(): void;
}

/** Opens a stream to the service at an address; a failure to connect is thrown by `orders`. The first thing sent is a report. */
export type OpenPlacement = (address: string) => PlacementStream;
