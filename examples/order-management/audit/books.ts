import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { z } from "zod";
import type { DataFolder } from "../data-folder.ts";
import {
  type Confirmation,
  confirmationSchema,
  type Entry,
  type Item,
  itemSchema,
  type JournalEntry,
  journalSchema,
  movementSchema,
  openingSchema,
  type Order,
  orderSchema,
  type Transfer,
  transferSchema,
} from "./records.ts";
import { StateFile } from "./state-file.ts";

/** What the name of a stock actor's record begins with that is an owner's movement. */
const MOVEMENT = "movement:";

interface Named {
  readonly id: string;
  readonly text: string;
}

/** All that the audit knows: the stores, what left the system, and what the replay asked and was answered. */
export interface Books {
  /** By stock code. */
  readonly items: ReadonlyMap<string, Item>;
  readonly transfers: ReadonlyMap<string, Transfer>;
  /** The event log by stock code, in the order of the entries' numbers. */
  readonly log: ReadonlyMap<string, readonly Entry[]>;
  readonly orders: ReadonlyMap<string, Order>;
  /** By the name of the file without its extension. */
  readonly confirmations: ReadonlyMap<string, Confirmation>;
  /** Units on hand before the first order, by stock code. */
  readonly opening: ReadonlyMap<string, number>;
  readonly journal: readonly JournalEntry[];
  /** What could not be understood, and why. */
  readonly unreadable: readonly string[];
}

/** Reads everything; what cannot be understood becomes a line in `unreadable`. @throws when a file is missing */
export function readBooks(folder: Pick<DataFolder, "store" | "confirmations" | "opening" | "journal">): Books {
  const unreadable: string[] = [];
  const parsed = <Value>(what: string, text: string, schema: z.ZodType<Value>): Value[] => {
    try {
      return [schema.parse(JSON.parse(text))];
    } catch (error) {
      unreadable.push(`${what}: ${reasonOf(error)}`);
      return [];
    }
  };
  const named = <Value>(kind: string, records: readonly Named[], schema: z.ZodType<Value>) =>
    new Map(
      records.flatMap(({ id, text }) => parsed(`${kind} ${id}`, text, schema).map((value) => [id, value] as const)),
    );

  using store = new StateFile(folder.store);
  const { orders, transfers, stock } = store.snapshot(() => ({
    orders: store.records("orders", "OrderActor").filter(({ name }) => name === "order"),
    transfers: store.records("orders", "TransferActor").filter(({ name }) => name === "transfer"),
    stock: store.records("stock", "StockActor"),
  }));
  const movements = stock.filter(({ name }) => name.startsWith(MOVEMENT));
  const opening = parsed("the opening stock", readFileSync(folder.opening, "utf8"), openingSchema);
  return {
    items: named(
      "item",
      stock.filter(({ name }) => name === "books"),
      itemSchema,
    ),
    transfers: named("transfer", transfers, transferSchema),
    log: byCode(
      movements.flatMap(({ id: code, name, text }) =>
        parsed(`${name} of ${code}`, text, movementSchema).flatMap(({ entries }) =>
          entries.map((entry) => ({ ...entry, code, owner: name.slice(MOVEMENT.length) })),
        ),
      ),
    ),
    orders: named("order", orders, orderSchema),
    confirmations: named("confirmation", confirmationFiles(folder.confirmations), confirmationSchema),
    opening: new Map(opening.flatMap(({ items }) => Object.entries(items))),
    journal: readFileSync(folder.journal, "utf8")
      .split("\n")
      .filter((line) => line !== "")
      .flatMap((line, index) => parsed(`line ${index + 1} of the journal`, line, journalSchema)),
    unreadable,
  };
}

function byCode(entries: readonly Entry[]): Map<string, Entry[]> {
  const log = Map.groupBy(entries, ({ code }) => code);
  for (const of of log.values()) of.sort((a, b) => a.n - b.n);
  return log;
}

function confirmationFiles(folder: string): Named[] {
  return readdirSync(folder).map((file) => ({
    id: basename(file, ".json"),
    text: readFileSync(join(folder, file), "utf8"),
  }));
}

function reasonOf(error: unknown): string {
  if (error instanceof z.ZodError) return z.prettifyError(error).replaceAll(/\s*\n\s*/g, " ");
  return error instanceof Error ? error.message : String(error);
}
