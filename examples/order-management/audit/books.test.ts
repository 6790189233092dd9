import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { type DataFolder, dataFolderAt, prepareDataFolder } from "../data-folder.ts";
import { audit, isGreen } from "./audit.ts";
import { readBooks } from "./books.ts";
import { goodBooks } from "./good-books.fixture.ts";
import type { Entry } from "./records.ts";
import { writeStateFile } from "./state-file.fixture.ts";

let folder: DataFolder;
beforeEach(() => {
  folder = dataFolderAt(mkdtempSync(join(tmpdir(), "books-")));
  prepareDataFolder(folder);
});
afterEach(() => rmSync(folder.root, { recursive: true }));

/** Writes the books as the services, the binding and the replay would. */
function write(books: ReturnType<typeof goodBooks>, asBytes: boolean): void {
  const records: Record<string, unknown> = {};
  for (const [code, item] of books.items) records[`stock||StockActor||${code}||books`] = item;
  for (const [key, entries] of Map.groupBy([...books.log.values()].flat(), keyOf)) {
    records[key] = { entries: entries.map(({ n, kind, quantity, at }) => ({ n, kind, quantity, at })) };
  }
  for (const [id, one] of books.transfers) records[`orders||TransferActor||${id}||transfer`] = one;
  for (const [id, one] of books.orders) records[`orders||OrderActor||${id}||order`] = one;
  writeStateFile(folder.store, records, asBytes);
  for (const [id, one] of books.confirmations)
    writeFileSync(join(folder.confirmations, `${id}.json`), JSON.stringify(one));
  writeFileSync(folder.opening, JSON.stringify({ items: Object.fromEntries(books.opening) }));
  writeFileSync(folder.journal, books.journal.map((entry) => `${JSON.stringify(entry)}\n`).join(""));
}

function keyOf({ code, owner }: Entry): string {
  return `stock||StockActor||${code}||movement:${owner}`;
}

it.each([
  ["JSON", false],
  ["bytes", true],
])("reads records saved as %s", (_what, asBytes) => {
  write(goodBooks(), asBytes);
  // What other apps and other actors keep, and what the runtime keeps of them, is not its business.
  writeStateFile(folder.store, {
    "other||StockActor||10001||books": "{",
    "stock||StockActors||10001||books": "{",
    "stock||StockActor||10001||outrigger.fence": "{",
    "orders||OrderActor||1||note": "{",
  });
  const books = readBooks(folder);
  expect(books).toEqual(goodBooks());
  expect(isGreen(audit(books))).toBe(true);
});

it.each<[string, () => void, string]>([
  [
    "a record that is no JSON",
    () => writeStateFile(folder.store, { "stock||StockActor||10009||books": "{" }),
    "item 10009: ",
  ],
  [
    "a record of another shape",
    () => writeStateFile(folder.store, { "orders||OrderActor||9||order": { status: 1 } }),
    "order 9: ",
  ],
  [
    "a movement without entries",
    () => writeStateFile(folder.store, { "stock||StockActor||10009||movement:order:1": {} }),
    "movement:order:1 of 10009: ",
  ],
  [
    "a confirmation that is torn",
    () => writeFileSync(join(folder.confirmations, "1.json"), '{"order'),
    "confirmation 1: ",
  ],
  ["an answer that is torn", () => writeFileSync(folder.journal, '{"step":"ope'), "line 1 of the journal: "],
  ["opening stock of nonsense", () => writeFileSync(folder.opening, '{"items":{"10001":-1}}'), "the opening stock: "],
])("names %s", (_what, damage, problem) => {
  write(goodBooks(), false);
  damage();
  const { unreadable } = readBooks(folder);
  expect(unreadable).toHaveLength(1);
  expect(unreadable[0]).toContain(problem);
});

it("does not take missing files for empty ones", () => {
  expect(() => readBooks(folder)).toThrow("unable to open database file");
});
