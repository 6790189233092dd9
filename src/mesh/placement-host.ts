import { create } from "@bufbuild/protobuf";
import { type Host, HostOperation, HostSchema } from "../wire/gen/dapr/proto/placement/v1/placement_pb.js";
import type { PlacementReport } from "./placement-stream.ts";

/** The protocol's level that 1.18.3's sidecars report. */
const API_LEVEL = 20;

const OPERATIONS = {
  lock: HostOperation.LOCK,
  update: HostOperation.UPDATE,
  unlock: HostOperation.UNLOCK,
} as const;

/** Who reports. */
export interface PlacementIdentity {
  readonly appId: string;
  readonly namespace: string;
}

/** A report as Dapr's message. */
export function hostMessage(
  report: Exclude<PlacementReport, { readonly kind: "lease" | "leave" }>,
  { appId, namespace }: PlacementIdentity,
): Host {
  if (report.kind !== "report") {
    const { kind, version } = report;
    return create(HostSchema, { id: appId, namespace, operation: OPERATIONS[kind], version });
  }
  return create(HostSchema, {
    name: report.address,
    id: appId,
    namespace,
    apiLevel: API_LEVEL,
    entities: [...report.types],
    operation: HostOperation.REPORT,
  });
}
