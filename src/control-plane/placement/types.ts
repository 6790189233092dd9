import type { GrpcError } from "../../net/grpc/status.ts";
import type { Host } from "../../wire/gen/dapr/proto/placement/v1/placement_pb.js";

/** Who hosts which actor types, at one version. */
export interface TableSnapshot {
  readonly version: number;
  /** Virtual nodes of each host on the ring. */
  readonly replicationFactor: number;
  /** By name, with the types that each hosts. */
  readonly hosts: ReadonlyMap<string, Host>;
  /** The same as hosts by their names, by actor type; made when somebody asks. */
  readonly entries: ReadonlyMap<string, ReadonlyMap<string, Host>>;
}

/** What a sidecar of Dapr's is told; it acknowledges each with the same operation and version. */
export type Order =
  | { readonly operation: "lock" | "unlock"; readonly version: number }
  | { readonly operation: "update"; readonly version: number; readonly tables: TableSnapshot };

/** What a sidecar of ours is told. It acknowledges tables, and asks for leases. */
export type PeerOrder =
  /** First of all. `resumed`: what it held when it came is still its own. */
  | { readonly kind: "welcome"; readonly leaseMs: number; readonly resumed: boolean; readonly askedMs: number }
  | { readonly kind: "table"; readonly tables: TableSnapshot }
  | { readonly kind: "agreed"; readonly version: number }
  | { readonly kind: "lease"; readonly askedMs: number };

/** A sidecar's end of its stream, over gRPC or in this process. Neither method calls back before it returns. */
export interface Sink<T> {
  send(order: T): void;
  /** The stream is over from here: nothing more is sent, `close` need not be called. Without an error it ends well. */
  end(error?: GrpcError): void;
}

export type HostSink = Sink<Order>;
export type PeerSink = Sink<PeerOrder>;

/** One stream of a sidecar of Dapr's, from its first report on. */
export interface HostStream {
  /** A further report or an acknowledgement. @throws GrpcError for one that is refused, which ends the stream */
  report(host: Host): void;
  close(): void;
}

/** With what a sidecar of ours opens a stream. */
export interface PeerReport {
  readonly host: Host;
  /** Names a period in which it holds actors; another one at the same address means that it holds none of before. */
  readonly incarnation: string;
  /** The tables that it still acts on, because its lease holds. */
  readonly held: { readonly version: number; readonly hosts: readonly string[] } | undefined;
  /** Asks for a lease, which comes back with the same number. */
  readonly askedMs: number;
}

/** One stream of a sidecar of ours. Nothing happens when it has ended. */
export interface PeerStream {
  /** What it hosts has changed. @throws GrpcError for a report that is refused, which ends the stream */
  report(host: Host, askedMs: number): void;
  /** Nothing runs there any more that belongs elsewhere by the table of this version. */
  applied(version: number): void;
  askLease(askedMs: number): void;
  /** No actor is active there any more: others may have them at once. Ends the stream. */
  leave(): void;
  /** The stream has broken, and what becomes of the sidecar is not known: its actors stay its own while its lease lives. */
  lost(): void;
}

/** The state of a namespace for introspection. */
export interface NamespaceState {
  readonly version: number;
  /** Those with actor types, by name. */
  readonly hosts: readonly Host[];
}
