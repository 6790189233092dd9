import { expect, test } from "vitest";
import { installed } from "../executable/program.ts";
import { traceSaves, withoutTrace } from "./sync-proof.ts";
import { readTrace } from "./sync-trace.ts";

const SAVES = 100;
const reason = withoutTrace();

test("a completed fsync stands between each save and its answer", async (context) => {
  context.skip(reason !== undefined, reason);
  using copy = installed();
  const trace = await traceSaves(copy.program, [], SAVES);
  expect(trace.unsynced).toEqual([]);
  expect(trace.samples).toBe(SAVES);
  expect(trace.syncs).toBeGreaterThan(0);
});

const READ = '10 read(21<TCP:[a->b]>, "POST /v1.0/state/store?probe=1 HTTP/1.1"..., 65536) = 120';
const SYNC = "11 fsync(30</x/state.db-wal>) = 0";
const SYNC_BEGUN = "11 fsync(30</x/state.db-wal> <unfinished ...>";
const SYNC_ENDED = "11 <... fsync resumed>) = 0";
const ANSWER = '10 write(21<TCP:[a->b]>, "HTTP/1.1 204 No Content"..., 150) = 150';

test.each([
  ["after the request", [READ, SYNC, ANSWER], []],
  ["in two parts", [READ, SYNC_BEGUN, SYNC_ENDED, ANSWER], []],
  ["before the request", [SYNC, READ, ANSWER], ["probe 1"]],
  ["begun before the request", [SYNC_BEGUN, READ, SYNC_ENDED, ANSWER], ["probe 1"]],
  ["not completed", [READ, SYNC_BEGUN, ANSWER], ["probe 1"]],
  ["failed", [READ, SYNC.replace("= 0", "= -1 EIO (Input/output error)"), ANSWER], ["probe 1"]],
  ["of another file", [READ, SYNC.replace("state.db-wal", "other.db-wal"), ANSWER], ["probe 1"]],
  ["missing", [READ, ANSWER], ["probe 1"]],
])("a trace with an fsync %s", (_, lines, unsynced) => {
  const trace = readTrace(lines.join("\n"), "state.db-wal");
  expect(trace.samples).toBe(1);
  expect(trace.unsynced.map((one) => one.split(":")[0])).toEqual(unsynced);
});
