import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { type DataFolder, dataFolderAt, prepareDataFolder } from "../data-folder.ts";
import { audit, isGreen } from "./audit.ts";
import { readBooks } from "./books.ts";
import { goodBooks } from "./good-books.fixture.ts";
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
  for (const [code, item] of books.items) records[`stock||item:${code}`] = item;
  for (const [id, one] of books.reservations) records[`stock||reservation:${id}`] = one;
  for (const [id, one] of books.transfers) records[`stock||transfer:${id}`] = one;
  for (const one of [...books.events.values()].flat()) records[`stock||event:${one.owner}:${one.n}`] = one;
  for (const [id, one] of books.orders) records[`orders||order:${id}`] = one;
  writeStateFile(folder.store, records, asBytes);
  for (const [id, one] of books.confirmations)
    writeFileSync(join(folder.confirmations, `${id}.json`), JSON.stringify(one));
  writeFileSync(folder.opening, JSON.stringify({ items: Object.fromEntries(books.opening) }));
  writeFileSync(folder.journal, books.journal.map((entry) => `${JSON.stringify(entry)}\n`).join(""));
}

it.each([
  ["JSON", false],
  ["bytes", true],
])("reads records saved as %s", (_what, asBytes) => {
  write(goodBooks(), asBytes);
  // What other apps keep, and what stands beside the prefixes, is not its business.
  writeStateFile(folder.store, {
    "other||item:1": "{",
    "stock||items": "{",
    "stock||item": "{",
    "stock||due-index": "{",
  });
  const books = readBooks(folder);
  expect(books).toEqual(goodBooks());
  expect(isGreen(audit(books))).toBe(true);
});

it("reads more than nine entries of a log in their order", () => {
  const lines = [{ code: "10001", quantity: 1 }];
  const entries = Array.from({ length: 12 }, (_, n) => {
    return { owner: "reservation:R1", n, kind: "reserve", lines, at: "2026-03-02T09:00:00.000Z" };
  });
  write({ ...goodBooks(), events: new Map([["reservation:R1", entries]]) }, false);
  expect(readBooks(folder).events.get("reservation:R1")).toEqual(entries);
});

it.each<[string, () => void, string]>([
  ["a record that is no JSON", () => writeStateFile(folder.store, { "stock||item:10009": "{" }), "item 10009: "],
  [
    "a record of another shape",
    () => writeStateFile(folder.store, { "stock||item:10009": { onHand: 1.5 } }),
    "item 10009: ",
  ],
  [
    "an entry under another key",
    () => {
      const [entry] = goodBooks().events.get("transfer:9")!;
      writeStateFile(folder.store, { "stock||event:transfer:9:1": entry });
    },
    "event transfer:9:1: it says transfer:9:0",
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
