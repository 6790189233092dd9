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
}

/** `lock`, `update` and `unlock` are known; `tables` come with an update. */
export interface PlacementOrder {
  readonly operation: string;
  readonly version: bigint;
  readonly tables: PlacementTables | undefined;
}

/** What a sidecar says: what it hosts, or which order it has carried out. */
export type PlacementReport =
  | { readonly kind: "report"; readonly address: string; readonly types: readonly string[] }
  | { readonly kind: "lock" | "update" | "unlock"; readonly version: bigint };

/** One stream to one placement service. */
export interface PlacementStream {
  send(report: PlacementReport): void;
  /** Ends when the stream does. @throws GrpcError with the service's status */
  readonly orders: AsyncIterable<PlacementOrder>;
  /** Ends the stream and its connection; `orders` then ends or throws. */
  close(): void;
}

/** Opens a stream to the service at an address; a failure to connect is thrown by `orders`. */
export type OpenPlacement = (address: string) => PlacementStream;
