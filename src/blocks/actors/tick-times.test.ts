import { expect, it } from "vitest";
import { parseTickTimes } from "./tick-times.ts";

const NOW = Date.UTC(2026, 0, 31, 12);
const parse = (texts: Partial<Parameters<typeof parseTickTimes>[0]>) =>
  parseTickTimes({ dueTime: "", period: "", ttl: "", ...texts }, "t||a||n", NOW);

it.each([
  [{}, { dueMs: NOW, period: undefined, ticks: 1, expiresMs: undefined }],
  [{ dueTime: "1.5s" }, { dueMs: NOW + 1_500, ticks: 1 }],
  [{ dueTime: "PT2H" }, { dueMs: NOW + 7_200_000 }],
  [{ dueTime: "2026-02-01T00:00:00Z" }, { dueMs: Date.UTC(2026, 1, 1) }],
  [
    { dueTime: "1s", ttl: "10s" },
    { dueMs: NOW + 1_000, expiresMs: NOW + 11_000 },
  ],
  [{ period: "R5/PT10S" }, { ticks: 5, period: { ms: 10_000 } }],
  [{ period: "500ms" }, { ticks: undefined, period: { ms: 500 } }],
])("%j", (texts, expected) => expect(parse(texts)).toMatchObject(expected));

it.each([
  [{ dueTime: "soon" }, "error parsing timer due time: unsupported time/duration format: soon"],
  [{ dueTime: "R3/PT1S" }, "error parsing timer due time: repetitions are not allowed"],
  [{ period: "often" }, "invalid timer period: parse error: unsupported duration format: often"],
  [{ period: "R0/PT1S" }, "invalid timer period: has zero repetitions"],
  [{ ttl: "never" }, "error parsing timer TTL: unsupported time/duration format: never"],
  [{ ttl: "2020-01-01T00:00:00Z" }, "timer t||a||n has already expired"],
])("%j is refused", (texts, reason) => expect(() => parse(texts)).toThrow(reason));
