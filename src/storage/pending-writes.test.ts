import { expect, test } from "vitest";
import { VirtualClock } from "../kit/virtual-clock.fixture.ts";
import { WAITING_BYTES_MAX } from "./limits.ts";
import { PendingWrites, StatementNames } from "./pending-writes.ts";

test("a write that waits too long fails, and its late outcome goes to nobody else", async () => {
  const clock = new VirtualClock();
  const pending = new PendingWrites({ clock, ms: 3_000 });
  const early = pending.add(1);
  early.catch(() => undefined);
  clock.advance(2_500);
  const late = pending.add(1);
  clock.advance(1_500);
  await expect(early).rejects.toMatchObject({ kind: "timeout", message: "the disk has not answered within 3000 ms" });
  pending.settle([1, 7]);
  expect(await late).toEqual({ changes: [7], rows: [[]] });
  expect(pending.size).toBe(0);
  pending.stopWatching();
});

test("bytes that wait are limited, and free again when they are on disk", async () => {
  const pending = new PendingWrites(undefined);
  const large = pending.add(WAITING_BYTES_MAX);
  expect(() => pending.checkRoom()).toThrow(`${WAITING_BYTES_MAX} bytes are waiting`);
  pending.settle([1]);
  await large;
  expect(() => pending.checkRoom()).not.toThrow();
});

test("outcomes keep their order however many have come and gone", async () => {
  const pending = new PendingWrites(undefined);
  const results: Promise<unknown>[] = [];
  for (let index = 0; index < 5_000; index += 1) {
    results.push(pending.add(1));
    if (index % 3 === 2) pending.settle([results.length - pending.size, results.length - pending.size + 1]);
  }
  pending.settle(Array.from({ length: pending.size }, (_unused, index) => 5_000 - pending.size + index));
  const changes = (await Promise.all(results)).map((result) => (result as { changes: number[] }).changes[0]);
  expect(changes).toEqual(Array.from({ length: 5_000 }, (_unused, index) => index));
});

test("an engine has no more statements than a packet can name", () => {
  const many = Object.fromEntries(Array.from({ length: 257 }, (_unused, index) => [`s${index}`, "SELECT 1"]));
  expect(() => new StatementNames(many)).toThrow("at most 256");
});
