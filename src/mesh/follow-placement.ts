import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { methodsOf } from "../net/grpc/protobuf.ts";
import type { GrpcClient } from "../net/grpc/types.ts";
import {
  HostMessageSchema,
  Placement,
  type ServiceMessage,
  type Table,
} from "../wire/gen/outrigger/placement/v1/placement_pb.js";
import type { PlacementIdentity } from "./placement-host.ts";
import type { PlacementHost, PlacementOrder, PlacementReport, PlacementStream } from "./placement-stream.ts";

const { follow } = methodsOf(Placement);

type HostPart = NonNullable<MessageInitShape<typeof HostMessageSchema>["message"]>;

/** `outrigger.placement.v1.Placement/Follow`. Closing the stream leaves the client open. */
export function followPlacement(client: GrpcClient, identity: PlacementIdentity): PlacementStream {
  const stream = client.stream(follow);
  return {
    send(report) {
      const message = partOf(report, identity);
      if (message !== undefined) {
        // A stream that has ended says so to whoever reads the orders.
        stream.send(create(HostMessageSchema, { message }))?.catch(() => undefined);
      }
    },
    orders: ordersOf(stream.responses),
    close: () => stream.cancel(),
  };
}

function partOf(report: PlacementReport, { appId, namespace }: PlacementIdentity): HostPart | undefined {
  switch (report.kind) {
    case "report": {
      const { address, types, incarnation, held, askedMs } = report;
      return {
        case: "report",
        value: {
          appId,
          namespace,
          address,
          types: [...types],
          incarnation,
          ...(held === undefined ? {} : { held: { version: held.version, hosts: [...held.hosts] } }),
          asked: BigInt(askedMs),
        },
      };
    }
    case "update":
      return { case: "applied", value: report.version };
    case "lease":
      return { case: "lease", value: BigInt(report.askedMs) };
    case "leave":
      return { case: "leave", value: {} };
    default:
      // Nobody waits for these.
      return undefined;
  }
}

async function* ordersOf(messages: AsyncIterable<ServiceMessage>): AsyncGenerator<PlacementOrder> {
  const tables = new TableReader();
  for await (const { message } of messages) {
    switch (message.case) {
      case "welcome": {
        const { asked, leaseMs, resumed } = message.value;
        yield { operation: "welcome", leaseMs, resumed };
        yield { operation: "lease", askedMs: Number(asked) };
        break;
      }
      case "lease":
        yield { operation: "lease", askedMs: Number(message.value) };
        break;
      case "table":
        yield tables.read(message.value);
        break;
      case "agreed":
        yield { operation: "unlock", version: message.value };
        break;
      case undefined:
        throw new Error("the placement service sent a message without content");
    }
  }
}

interface Row extends PlacementHost {
  readonly types: readonly string[];
}

/** Puts tables together from the differences in which they travel. */
class TableReader {
  readonly #rows = new Map<string, Row>();
  #version = 0n;

  /** @throws Error for a difference to another table than the last one */
  read({ version, base, replicationFactor, hosts, gone }: Table): PlacementOrder {
    if (base === 0n) {
      this.#rows.clear();
    } else if (base !== this.#version) {
      throw new Error(
        `the placement table ${version} is a difference to ${base}, and the last one here is ${this.#version}`,
      );
    }
    for (const address of gone) {
      this.#rows.delete(address);
    }
    const renewed: string[] = [];
    for (const { address, appId, types } of hosts) {
      if (this.#rows.has(address)) {
        renewed.push(address);
      }
      this.#rows.set(address, { address, appId, types });
    }
    this.#version = version;
    const types = new Map<string, PlacementHost[]>();
    for (const row of this.#rows.values()) {
      for (const type of row.types) {
        const known = types.get(type);
        if (known === undefined) {
          types.set(type, [row]);
        } else {
          known.push(row);
        }
      }
    }
    return { operation: "update", version, tables: { types, replicationFactor, renewed } };
  }
}
