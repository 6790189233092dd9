import { create, toBinary } from "@bufbuild/protobuf";
import type { Host } from "../../wire/gen/dapr/proto/placement/v1/placement_pb.js";
import { ServiceMessageSchema } from "../../wire/gen/outrigger/placement/v1/placement_pb.js";
import { TABLE_HISTORY_MAX } from "./limits.ts";
import type { PeerOrder, TableSnapshot } from "./types.ts";

/** An order, and the table that the same stream has been told before, if any. */
export interface PeerMessage {
  readonly order: PeerOrder;
  readonly base: TableSnapshot | undefined;
}

/** Orders for sidecars of ours as bytes. The difference of two tables is encoded once for all streams that have the first one. */
export class PeerOrderCodec {
  readonly #whole = new WeakMap<TableSnapshot, Uint8Array>();
  readonly #differences = new WeakMap<TableSnapshot, WeakMap<TableSnapshot, Uint8Array>>();

  encode({ order, base }: PeerMessage): Uint8Array {
    switch (order.kind) {
      case "welcome": {
        const { leaseMs, resumed, askedMs } = order;
        return encoded({ case: "welcome", value: { leaseMs, resumed, asked: BigInt(askedMs) } });
      }
      case "lease":
        return encoded({ case: "lease", value: BigInt(order.askedMs) });
      case "agreed":
        return encoded({ case: "agreed", value: BigInt(order.version) });
      case "table":
        return this.#table(order.tables, base);
    }
  }

  #table(tables: TableSnapshot, base: TableSnapshot | undefined): Uint8Array {
    const cache = base === undefined ? this.#whole : this.#differencesTo(base);
    const known = cache.get(tables);
    if (known !== undefined) {
      return known;
    }
    const bytes = encoded({ case: "table", value: tableMessage(tables, base) });
    cache.set(tables, bytes);
    return bytes;
  }

  #differencesTo(base: TableSnapshot): WeakMap<TableSnapshot, Uint8Array> {
    const known = this.#differences.get(base) ?? new WeakMap<TableSnapshot, Uint8Array>();
    this.#differences.set(base, known);
    return known;
  }
}

/** Gives each table the one that the same stream has been told before, unless that is too old. */
export async function* basedOn(orders: AsyncIterable<PeerOrder>): AsyncGenerator<PeerMessage> {
  let last: TableSnapshot | undefined;
  for await (const order of orders) {
    if (order.kind !== "table") {
      yield { order, base: undefined };
      continue;
    }
    const { tables } = order;
    const isNear = last !== undefined && last.version > 0 && tables.version - last.version <= TABLE_HISTORY_MAX;
    yield { order, base: isNear ? last : undefined };
    last = tables;
  }
}

function encoded(
  message: NonNullable<Parameters<typeof create<typeof ServiceMessageSchema>>[1]>["message"],
): Uint8Array {
  return toBinary(ServiceMessageSchema, create(ServiceMessageSchema, { message: message ?? { case: undefined } }));
}

function tableMessage(tables: TableSnapshot, base: TableSnapshot | undefined) {
  const changed = [...tables.hosts.values()].filter((host) => base?.hosts.get(host.name) !== host);
  const gone = base === undefined ? [] : [...base.hosts.keys()].filter((name) => !tables.hosts.has(name));
  return {
    version: BigInt(tables.version),
    base: BigInt(base?.version ?? 0),
    replicationFactor: tables.replicationFactor,
    hosts: changed.map(({ name, id, entities }: Host) => ({ address: name, appId: id, types: [...entities] })),
    gone,
  };
}
