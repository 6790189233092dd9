import { hostMessage, type PlacementIdentity } from "../../mesh/placement-host.ts";
import type { OpenPlacement, PlacementOrder, PlacementReport } from "../../mesh/placement-stream.ts";
import { GrpcError } from "../../net/grpc/status.ts";
import { PeerOrderQueue } from "./order-queue.ts";
import type { PlacementService } from "./placement-service.ts";
import type { PeerOrder, PeerStream, TableSnapshot } from "./types.ts";

/** Who lives and stops with the service needs nothing that runs out. */
const LEASE_MS = Number.POSITIVE_INFINITY;

/**
 * Streams to a placement service in this process, without sockets; the address that a stream is opened to is not looked at.
 * What the service refuses ends the stream, as over gRPC.
 */
export function openInProcessPlacement(service: PlacementService, identity: PlacementIdentity): OpenPlacement {
  return () => {
    const queue = new PeerOrderQueue();
    let stream: PeerStream | undefined;
    let closed = false;
    const hear = (report: PlacementReport): void => {
      if (report.kind === "report") {
        const { incarnation, askedMs, held } = report;
        const host = hostMessage(report, identity);
        if (stream === undefined) {
          const tables = held === undefined ? undefined : { version: Number(held.version), hosts: held.hosts };
          stream = service.openPeer({ host, incarnation, held: tables, askedMs }, queue, LEASE_MS);
        } else {
          stream.report(host, askedMs);
        }
      } else if (report.kind === "update") {
        stream?.applied(Number(report.version));
      } else if (report.kind === "lease") {
        stream?.askLease(report.askedMs);
      } else if (report.kind === "leave") {
        stream?.leave();
      }
    };
    return {
      send(report) {
        try {
          if (!closed) {
            hear(report);
          }
        } catch (error) {
          if (!GrpcError.is(error)) {
            throw error;
          }
          stream?.lost();
          queue.end(error);
        }
      },
      orders: ordersOf(queue),
      close() {
        closed = true;
        stream?.lost();
        queue.end();
      },
    };
  };
}

async function* ordersOf(queue: PeerOrderQueue): AsyncGenerator<PlacementOrder> {
  for await (const order of queue) {
    yield orderOf(order);
    if (order.kind === "welcome") {
      yield { operation: "lease", askedMs: order.askedMs };
    }
  }
}

function orderOf(order: PeerOrder): PlacementOrder {
  switch (order.kind) {
    case "welcome":
      return { operation: "welcome", leaseMs: order.leaseMs, resumed: order.resumed };
    case "lease":
      return { operation: "lease", askedMs: order.askedMs };
    case "agreed":
      return { operation: "unlock", version: BigInt(order.version) };
    case "table":
      return updateOf(order.tables);
  }
}

function updateOf({ version, entries, replicationFactor }: TableSnapshot): PlacementOrder {
  const types = new Map(
    [...entries].map(([type, hosts]) => [
      type,
      [...hosts.values()].map(({ name, id }) => ({ address: name, appId: id })),
    ]),
  );
  return { operation: "update", version: BigInt(version), tables: { types, replicationFactor } };
}
