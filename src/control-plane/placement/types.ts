import type { Host } from "../../wire/gen/dapr/proto/placement/v1/placement_pb.js";
import type { GrpcError } from "../../net/grpc/status.ts";

/** Who hosts which actor types, at one version. */
export interface TableSnapshot {
  readonly version: number;
  /** Virtual nodes of each host on the ring. */
  readonly replicationFactor: number;
  /** Hosts by their names, by actor type. */
  readonly entries: ReadonlyMap<string, ReadonlyMap<string, Host>>;
}

/** What a sidecar is told; it acknowledges each with the same operation and version. */
export type Order =
  | { readonly operation: "lock" | "unlock"; readonly version: number }
  | { readonly operation: "update"; readonly version: number; readonly tables: TableSnapshot };

/** A sidecar's end of its stream, over gRPC or in this process. Neither method calls back before it returns. */
export interface HostSink {
  send(order: Order): void;
  /** The stream is over from here: nothing more is sent, `close` need not be called. */
  end(error: GrpcError): void;
}

/** One sidecar's stream, from its first report on. */
export interface HostStream {
  /** A further report or an acknowledgement. @throws GrpcError for one that is refused, which ends the stream */
  report(host: Host): void;
  close(): void;
}

/** The state of a namespace for introspection. */
export interface NamespaceState {
  readonly version: number;
  /** Those with actor types, by name. */
  readonly hosts: readonly Host[];
}
