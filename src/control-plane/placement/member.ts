import { type Host, HostOperation } from "../../wire/gen/dapr/proto/placement/v1/placement_pb.js";
import type { HostSink, PeerOrder, PeerSink } from "./types.ts";

/** One sidecar in the rounds of its namespace, or waiting for the next one. */
export interface Member {
  readonly stream: number;
  sink: HostSink;
  host: Host;
  /** Has acknowledged the phase that the round is in, or is not asked. */
  answered: boolean;
  /** The last table that it was sent, or will be in the round under way. */
  tableVersion: number | undefined;
  /** Of sidecars of ours only. */
  readonly peer: PeerLink | undefined;
}

/** What is known of a sidecar of ours. */
export interface PeerLink {
  readonly incarnation: string;
  /** What it is granted at a time; `Infinity` in this process. */
  readonly leaseMs: number;
  /** On the service's monotonic clock: it may act for its actors until then. */
  leaseUntilMs: number;
  /** Has been in a table since, or before another leader, and has not said that it runs nothing of it any more. */
  mayHold: boolean;
  /** The table of the round may give actors to others that it has. */
  mayLose: boolean;
  /** It has taken too long: it gets no lease any more, and is waited for until the last one is over. */
  isCutOff: boolean;
  /** Its address has taken a connection of ours: one that it refuses later shows that the process is gone. */
  isReachable: boolean;
  /** Its stream; undefined while it has none. */
  sink: PeerSink | undefined;
}

const NO_SINK: HostSink = { send: () => undefined, end: () => undefined };

/** A round as a sidecar of ours hears of it: it knows no lock. While it has no stream it hears nothing. */
export function sinkOf(sink: PeerSink | undefined): HostSink {
  return sink === undefined
    ? NO_SINK
    : {
        send(order) {
          const said = peerOrder(order);
          if (said !== undefined) {
            sink.send(said);
          }
        },
        end: (error) => sink.end(error),
      };
}

function peerOrder(order: Parameters<HostSink["send"]>[0]): PeerOrder | undefined {
  switch (order.operation) {
    case "lock":
      return undefined;
    case "update":
      return { kind: "table", tables: order.tables };
    case "unlock":
      return { kind: "agreed", version: order.version };
  }
}

/** Where a round is: what everybody has been told last and has to acknowledge. */
export type Phase = "idle" | "lock" | "update" | "unlock";

/** Sidecars of ours acknowledge tables only, and only those that may have something to stop. */
export function isAsked({ peer }: Member, phase: Phase): boolean {
  return peer === undefined || (phase === "update" && peer.mayLose);
}

/**
 * The phase that a message acknowledges, `idle` for a report. Clients of old releases say no more than that they live: it
 * counts as what is waited for.
 */
export function phaseOf(operation: HostOperation, current: Phase): Phase {
  switch (operation) {
    case HostOperation.UNKNOWN:
      return current;
    case HostOperation.REPORT:
      return "idle";
    case HostOperation.LOCK:
      return "lock";
    case HostOperation.UPDATE:
      return "update";
    case HostOperation.UNLOCK:
      return "unlock";
  }
}
