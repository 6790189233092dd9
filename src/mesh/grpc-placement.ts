import { GRPC_STATUS } from "../errors/grpc-status.ts";
import { methodsOf } from "../net/grpc/protobuf.ts";
import { GrpcError } from "../net/grpc/status.ts";
import type { GrpcClient } from "../net/grpc/types.ts";
import { Placement, type PlacementOrder as OrderMessage } from "../wire/gen/dapr/proto/placement/v1/placement_pb.js";
import { followPlacement } from "./follow-placement.ts";
import { hostMessage, type PlacementIdentity } from "./placement-host.ts";
import type { HostReport, PlacementOrder, PlacementReport, PlacementStream } from "./placement-stream.ts";

const { reportDaprStatus } = methodsOf(Placement);

/**
 * A stream to a placement service: `outrigger.placement.v1.Placement/Follow`, or, where the service does not know it,
 * `dapr.proto.placement.v1.Placement/ReportDaprStatus` on the same connection.
 *
 * @param client of this stream alone; closed with it
 */
export function openGrpcPlacement(client: GrpcClient, identity: PlacementIdentity): PlacementStream {
  let current = followPlacement(client, identity);
  let report: HostReport | undefined;
  let closed = false;
  return {
    send(next) {
      report = next.kind === "report" ? next : report;
      current.send(next);
    },
    orders: orders(),
    close() {
      closed = true;
      current.close();
      void client.close();
    },
  };

  async function* orders(): AsyncGenerator<PlacementOrder> {
    try {
      yield* current.orders;
      return;
    } catch (error) {
      if (closed || !GrpcError.is(error) || error.code !== GRPC_STATUS.UNIMPLEMENTED) {
        throw error;
      }
    }
    current = reportDapr(client, identity);
    if (report !== undefined) {
      current.send(report);
    }
    yield* current.orders;
  }
}

function reportDapr(client: GrpcClient, identity: PlacementIdentity): PlacementStream {
  const stream = client.stream(reportDaprStatus);
  return {
    send(report: PlacementReport) {
      if (report.kind !== "lease" && report.kind !== "leave") {
        // A stream that has ended says so to whoever reads the orders.
        stream.send(hostMessage(report, identity))?.catch(() => undefined);
      }
    },
    orders: ordersOf(stream.responses),
    close: () => stream.cancel(),
  };
}

async function* ordersOf(messages: AsyncIterable<OrderMessage>): AsyncGenerator<PlacementOrder> {
  for await (const message of messages) {
    yield orderOf(message);
  }
}

/** @throws Error for an operation that is none */
function orderOf({ operation, version: ownVersion, tables }: OrderMessage): PlacementOrder {
  if (operation === "lock" || operation === "unlock") {
    return { operation, version: ownVersion };
  }
  if (operation !== "update") {
    throw new Error(`unknown operation: ${operation}`);
  }
  const types = new Map(
    Object.entries(tables?.entries ?? {}).map(([type, { loadMap }]) => [
      type,
      Object.values(loadMap).map((host) => ({ address: host.name, appId: host.id })),
    ]),
  );
  return {
    operation,
    version: versionOf(ownVersion, tables?.version ?? ""),
    tables: { types, replicationFactor: Number(tables?.replicationFactor ?? 0) },
  };
}

/** Services before the field was there say it in the tables. */
function versionOf(version: bigint, ofTables: string): bigint {
  return version > 0n ? version : BigInt(/^\d+$/.test(ofTables) ? ofTables : 0);
}
