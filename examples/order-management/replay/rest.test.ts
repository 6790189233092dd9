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

const order = (id: string): string => `orders||OrderActor||${id}||order`;
const transfer = (id: string): string => `orders||TransferActor||${id}||transfer`;

const ENDED = {
  [order("1")]: { status: "confirmed" },
  [order("2")]: { status: "rejected" },
  [order("3")]: { status: "expired" },
  [order("4")]: { status: "cancelled" },
  [order("5")]: { status: "refunded" },
  [transfer("C1")]: { status: "done" },
  [transfer("C2")]: { status: "refused" },
  "orders||OrderActor||1||outrigger.fence": "a-1",
};
const OPEN = {
  [order("6")]: { status: "reserved" },
  [order("7")]: { status: "refunding" },
  [transfer("C3")]: { status: "moving" },
};

it("knows what is under way", () => {
  writeStateFile(store, { ...ENDED, ...OPEN });
  expect(openIn(store)).toEqual(["order 6", "order 7", "transfer C3"]);
});

it("waits until nothing is", async () => {
  writeStateFile(store, { ...ENDED, ...OPEN });
  const waited: (readonly string[])[] = [];
  const open = await waitForRest(store, new AbortController().signal, (names) => {
    waited.push(names);
    const next = [
      { [order("6")]: { status: "expired" } },
      { [order("7")]: { status: "refunded" }, [transfer("C3")]: { status: "done" } },
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
