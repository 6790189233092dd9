import { create, toBinary } from "@bufbuild/protobuf";
import {
  type Host,
  HostSchema,
  type PlacementOrder,
  PlacementOrderSchema,
  PlacementTableSchema,
  PlacementTablesSchema,
} from "../../wire/gen/dapr/proto/placement/v1/placement_pb.js";
import { TABLE_BYTES_MAX } from "./limits.ts";
import type { Order, TableSnapshot } from "./types.ts";

/** Orders as bytes. A table is encoded once for all streams of its round. */
export class OrderCodec {
  readonly #updates = new WeakMap<TableSnapshot, Uint8Array>();
  readonly #onTooLarge: (tables: TableSnapshot, bytes: number) => void;

  /** @param onTooLarge told of tables beyond `TABLE_BYTES_MAX`, which are sent all the same */
  constructor(onTooLarge: (tables: TableSnapshot, bytes: number) => void) {
    this.#onTooLarge = onTooLarge;
  }

  encode(order: Order): Uint8Array {
    if (order.operation !== "update") {
      return toBinary(PlacementOrderSchema, orderMessage(order));
    }
    const known = this.#updates.get(order.tables);
    if (known !== undefined) {
      return known;
    }
    const bytes = toBinary(PlacementOrderSchema, orderMessage(order));
    this.#updates.set(order.tables, bytes);
    if (bytes.length > TABLE_BYTES_MAX) {
      this.#onTooLarge(order.tables, bytes.length);
    }
    return bytes;
  }
}

/**
 * An order as Dapr's message. Rings travel as hosts only; the version stands twice, for old clients. Other than in Dapr a
 * row does not repeat all types of its host, which nobody reads: tables grow with hosts times types, not with their square.
 */
export function orderMessage(order: Order): PlacementOrder {
  const message = create(PlacementOrderSchema, { operation: order.operation, version: BigInt(order.version) });
  if (order.operation === "update") {
    const { replicationFactor, entries } = order.tables;
    message.tables = create(PlacementTablesSchema, {
      version: String(order.version),
      replicationFactor: BigInt(replicationFactor),
    });
    const rows = new Map<Host, Host>();
    for (const [type, hosts] of entries) {
      const table = create(PlacementTableSchema);
      for (const [name, host] of hosts) {
        const row = rows.get(host) ?? rowOf(host);
        rows.set(host, row);
        table.loadMap[name] = row;
      }
      message.tables.entries[type] = table;
    }
  }
  return message;
}

function rowOf({ name, port, load, id, apiLevel, namespace }: Host): Host {
  return create(HostSchema, { name, port, load, id, apiLevel, namespace });
}
