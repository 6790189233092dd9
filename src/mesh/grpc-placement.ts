import { create } from "@bufbuild/protobuf";
import { methodsOf } from "../net/grpc/protobuf.ts";
import type { GrpcClient } from "../net/grpc/types.ts";
import {
  type Host,
  HostOperation,
  HostSchema,
  Placement,
  type PlacementOrder as OrderMessage,
} from "../wire/gen/dapr/proto/placement/v1/placement_pb.js";
import type { PlacementOrder, PlacementReport, PlacementStream } from "./placement-stream.ts";

/** The protocol's level that 1.18.3's sidecars report. */
const API_LEVEL = 20;

const { reportDaprStatus } = methodsOf(Placement);

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

/** `dapr.proto.placement.v1.Placement/ReportDaprStatus`. @param client of this stream alone; closed with it */
export function openGrpcPlacement(client: GrpcClient, identity: PlacementIdentity): PlacementStream {
  const stream = client.stream(reportDaprStatus);
  return {
    send(report) {
      // A stream that has ended says so to whoever reads the orders.
      stream.send(hostMessage(report, identity))?.catch(() => undefined);
    },
    orders: ordersOf(stream.responses),
    close() {
      stream.cancel();
      void client.close();
    },
  };
}

function hostMessage(report: PlacementReport, { appId, namespace }: PlacementIdentity): Host {
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

async function* ordersOf(messages: AsyncIterable<OrderMessage>): AsyncGenerator<PlacementOrder> {
  for await (const message of messages) {
    yield orderOf(message);
  }
}

function orderOf({ operation, version, tables }: OrderMessage): PlacementOrder {
  if (tables === undefined) {
    return { operation, version, tables: undefined };
  }
  const types = new Map(
    Object.entries(tables.entries).map(([type, { loadMap }]) => [
      type,
      Object.values(loadMap).map((host) => ({ address: host.name, appId: host.id })),
    ]),
  );
  return {
    operation,
    // Services before the field was there say it in the tables.
    version: version > 0n ? version : BigInt(/^\d+$/.test(tables.version) ? tables.version : 0),
    tables: { types, replicationFactor: Number(tables.replicationFactor) },
  };
}
