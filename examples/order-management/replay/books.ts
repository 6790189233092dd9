import type { DaprClient } from "@dapr/dapr";
import type { z } from "zod";
import { bulkItems } from "../model/bulk-items.ts";
import type { Invoice } from "../model/invoice.ts";
import { movementSchema } from "../model/movement.ts";
import { itemKey, movementKey, ORDER_STORE, orderKey, STOCK_STORE } from "../model/names.ts";
import { orderRecordSchema } from "../model/order.ts";
import { stockItemSchema } from "../model/stock.ts";
import type { Books } from "./audit.ts";

/** Keys of one bulk read. */
const BATCH = 100;

/** Reads the stores of both services through their sidecars, past the services themselves. */
export async function readBooks(
  sidecars: { readonly facade: DaprClient; readonly stock: DaprClient },
  invoices: readonly Invoice[],
  codes: readonly string[],
): Promise<Books> {
  const ids = invoices.map((invoice) => invoice.id);
  return {
    orders: await readAll(sidecars.facade, ORDER_STORE, ids, orderKey, orderRecordSchema),
    movements: await readAll(sidecars.stock, STOCK_STORE, ids, movementKey, movementSchema),
    items: await readAll(sidecars.stock, STOCK_STORE, codes, itemKey, stockItemSchema),
  };
}

async function readAll<Value>(
  client: DaprClient,
  store: string,
  names: readonly string[],
  keyOf: (name: string) => string,
  schema: z.ZodType<Value>,
): Promise<Map<string, Value>> {
  const nameOf = new Map(names.map((name) => [keyOf(name), name]));
  const keys = [...nameOf.keys()];
  const found = new Map<string, Value>();
  for (let at = 0; at < keys.length; at += BATCH) {
    for (const [key, { value }] of bulkItems(await client.state.getBulk(store, keys.slice(at, at + BATCH)))) {
      const name = nameOf.get(key);
      if (name !== undefined) found.set(name, schema.parse(value));
    }
  }
  return found;
}
