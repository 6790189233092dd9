import { expect, test } from "vitest";
import { recordingLogger } from "../../../test/harness/recording-logger.ts";
import { databaseOf } from "./connection-string.ts";

const METADATA = { timeout: 20_000, busyTimeout: 2_000, disableWAL: false };

const open = (connectionString: string, rest: Partial<typeof METADATA> = {}) =>
  databaseOf({ connectionString, ...METADATA, ...rest }, recordingLogger());

test.each([
  ["data.db", { file: "file:data.db", journal: "wal" }],
  ["/var/lib/data.db", { file: "file:/var/lib/data.db", journal: "wal" }],
  ["file:data.db", { file: "file:data.db", journal: "wal" }],
  ["FILE:data.db", { file: "FILE:data.db", journal: "wal" }],
  ["file:data.db?mode=rwc&cache=shared", { file: "file:data.db?mode=rwc", journal: "wal" }],
  ["data.db?mode=ro", { file: "file:data.db?mode=ro", journal: "delete" }],
  ["data.db?immutable=1", { file: "file:data.db?immutable=1", journal: "delete" }],
  ["data.db?_txlock=immediate&_time_format=sqlite", { file: "file:data.db", journal: "wal" }],
  [":memory:", { file: ":memory:", journal: "memory" }],
  [":MEMORY:?cache=shared", { file: ":memory:", journal: "memory" }],
  ["file::memory:", { file: ":memory:", journal: "memory" }],
  ["file:name?mode=memory", { file: ":memory:", journal: "memory" }],
])("%s", (connectionString, expected) => {
  expect(open(connectionString)).toEqual({ ...expected, busyTimeoutMs: 2_000, pragmas: [] });
});

test("the metadata's other fields", () => {
  expect(open("data.db", { disableWAL: true, busyTimeout: -1 })).toMatchObject({ journal: "delete", busyTimeoutMs: 0 });
  expect(open("data.db", { busyTimeout: 10.9 }).busyTimeoutMs).toBe(10);
  expect(() => open("data.db", { timeout: 999 })).toThrow("invalid value for 'timeout': must be greater than 1s");
});

test("pragmas of the connection string are kept, unless a field or the store decides", () => {
  const pragmas = ["cache_size(-8000)", "temp_store=memory", "optimize"];
  const query = pragmas.map((pragma) => `_pragma=${encodeURIComponent(pragma)}`).join("&");
  expect(open(`data.db?${query}`).pragmas).toEqual(pragmas);
  for (const name of ["busy_timeout", "journal_mode", "foreign_keys"]) {
    expect(() => open(`data.db?_pragma=${name.toUpperCase()}(1)`)).toThrow(
      `found forbidden option '_pragma=${name}' in the connection string`,
    );
  }
  expect(() => open("data.db?_pragma=cache_size(1); DROP TABLE state")).toThrow("a pragma that cannot be read");
});

test("another lock than the recommended one is a warning", () => {
  const logger = recordingLogger();
  databaseOf({ connectionString: "data.db?_txlock=deferred", ...METADATA }, logger);
  expect(logger.said("_txlock different from the recommended value 'immediate'")).toBe(true);
});

test.each([
  ["data.db", "file:/apps/my%20app/data.db"],
  ["file:data/d.db?mode=ro", "file:/apps/my%20app/data/d.db?mode=ro"],
  ["/var/lib/data.db", "file:/var/lib/data.db"],
  ["file:///var/lib/data.db", "file:///var/lib/data.db"],
  [":memory:", ":memory:"],
])("%s of a sidecar with a folder of its own is %s", (connectionString, file) => {
  expect(databaseOf({ connectionString, ...METADATA }, recordingLogger(), "/apps/my app").file).toBe(file);
});
