import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { z } from "zod";
import type { DataFolder } from "../data-folder.ts";
import {
  type Confirmation,
  confirmationSchema,
  type Event,
  eventSchema,
  type Item,
  itemSchema,
  type JournalEntry,
  journalSchema,
  openingSchema,
  type Order,
  orderSchema,
  type Reservation,
  reservationSchema,
  type Transfer,
  transferSchema,
} from "./records.ts";
import { StateFile, type StoredRecord } from "./state-file.ts";

/** All that the audit knows: the stores, what left the system, and what the replay asked and was answered. */
export interface Books {
  /** By stock code. */
  readonly items: ReadonlyMap<string, Item>;
  readonly reservations: ReadonlyMap<string, Reservation>;
  readonly transfers: ReadonlyMap<string, Transfer>;
  /** The event log by its owner's key (`reservation:<id>`, `transfer:<id>`), in the order of the entries' numbers. */
  readonly events: ReadonlyMap<string, readonly Event[]>;
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
  const named = <Value>(kind: string, records: readonly StoredRecord[], schema: z.ZodType<Value>) =>
    new Map(
      records.flatMap(({ name, text }) =>
        parsed(`${kind} ${name}`, text, schema).map((value) => [name, value] as const),
      ),
    );

  using store = new StateFile(folder.store);
  const stored = store.snapshot(() => ({
    items: store.records("stock", "item:"),
    reservations: store.records("stock", "reservation:"),
    transfers: store.records("stock", "transfer:"),
    events: store.records("stock", "event:"),
    orders: store.records("orders", "order:"),
  }));
  const opening = parsed("the opening stock", readFileSync(folder.opening, "utf8"), openingSchema);
  return {
    items: named("item", stored.items, itemSchema),
    reservations: named("reservation", stored.reservations, reservationSchema),
    transfers: named("transfer", stored.transfers, transferSchema),
    events: byOwner(named("event", stored.events, eventSchema), unreadable),
    orders: named("order", stored.orders, orderSchema),
    confirmations: named("confirmation", confirmationFiles(folder.confirmations), confirmationSchema),
    opening: new Map(opening.flatMap(({ items }) => Object.entries(items))),
    journal: readFileSync(folder.journal, "utf8")
      .split("\n")
      .filter((line) => line !== "")
      .flatMap((line, index) => parsed(`line ${index + 1} of the journal`, line, journalSchema)),
    unreadable,
  };
}

/** An entry must say the owner and the number that its key says. */
function byOwner(entries: ReadonlyMap<string, Event>, unreadable: string[]): Map<string, Event[]> {
  const owners = new Map<string, Event[]>();
  for (const [name, entry] of entries) {
    if (name !== `${entry.owner}:${entry.n}`) unreadable.push(`event ${name}: it says ${entry.owner}:${entry.n}`);
    const log = owners.get(entry.owner) ?? [];
    log.push(entry);
    owners.set(entry.owner, log);
  }
  for (const log of owners.values()) log.sort((a, b) => a.n - b.n);
  return owners;
}

function confirmationFiles(folder: string): StoredRecord[] {
  return readdirSync(folder).map((file) => ({
    name: basename(file, ".json"),
    text: readFileSync(join(folder, file), "utf8"),
  }));
}

function reasonOf(error: unknown): string {
  if (error instanceof z.ZodError) return z.prettifyError(error).replaceAll(/\s*\n\s*/g, " ");
  return error instanceof Error ? error.message : String(error);
}
