import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { writeStateFile } from "../audit/state-file.fixture.ts";
import { openIn, waitForRest } from "./rest.ts";

let root: string;
let store: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "rest-"));
  store = join(root, "state.sqlite");
});
afterEach(() => rmSync(root, { recursive: true }));

const ENDED = {
  "orders||order:1": { status: "confirmed" },
  "orders||order:2": { status: "rejected" },
  "orders||order:3": { status: "expired" },
  "orders||order:4": { status: "cancelled" },
  "stock||reservation:R1": { phase: "committed" },
  "stock||reservation:R2": { phase: "released" },
  "stock||reservation:R3": { phase: "refused" },
  "stock||transfer:C1": { phase: "done" },
  "stock||transfer:C2": { phase: "refused" },
};
const OPEN = {
  "orders||order:5": { status: "placed" },
  "stock||reservation:R4": { phase: "reserved" },
  "stock||transfer:C3": { phase: "moving" },
};

it("knows what is under way", () => {
  writeStateFile(store, { ...ENDED, ...OPEN });
  expect(openIn(store)).toEqual(["order 5", "reservation R4", "transfer C3"]);
});

it("waits until nothing is", async () => {
  writeStateFile(store, { ...ENDED, ...OPEN });
  const waited: (readonly string[])[] = [];
  const open = await waitForRest(store, new AbortController().signal, (names) => {
    waited.push(names);
    const next = [
      { "orders||order:5": { status: "confirmed" } },
      { "stock||reservation:R4": { phase: "released" }, "stock||transfer:C3": { phase: "done" } },
    ][waited.length - 1];
    if (next !== undefined) writeStateFile(store, next);
  });
  expect(open).toEqual([]);
  expect(waited.map((names) => names.length)).toEqual([3, 2]);
});

it("waits no longer than it may", async () => {
  writeStateFile(store, OPEN);
  expect(await waitForRest(store, new AbortController().signal, () => {}, 0)).toHaveLength(3);
});
