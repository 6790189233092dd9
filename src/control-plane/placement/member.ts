import { type Host, HostOperation } from "../../wire/gen/dapr/proto/placement/v1/placement_pb.js";
import type { HostSink } from "./types.ts";

/** One sidecar in the rounds of its namespace, or waiting for the next one. */
export interface Member {
  readonly stream: number;
  readonly sink: HostSink;
  host: Host;
  /** Has acknowledged the phase that the round is in. */
  answered: boolean;
  /** The last table that it was sent, or will be in the round under way. */
  tableVersion: number | undefined;
}

/** Where a round is: what everybody has been told last and has to acknowledge. */
export type Phase = "idle" | "lock" | "update" | "unlock";

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
