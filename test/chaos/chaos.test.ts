import { expect, test } from "vitest";
import { redisMissing, redisNote } from "../harness/redis-server.ts";
import { runChaos } from "./chaos.ts";

/** Starts and waits for hosts that come back take a minute each on a busy machine; an ordinary run takes half of one. */
const TEST_MS_MAX = 300_000;

test.skipIf(redisMissing !== undefined)(
  `counters on hosts that are killed, stopped and restarted${redisNote}`,
  async () => {
    const seed = Number(process.env["CHAOS_SEED"] ?? Math.trunc(Math.random() * 2 ** 32));
    console.log(`CHAOS_SEED=${seed}`);
    const report = await runChaos({
      hosts: 4,
      actors: 40,
      paceMs: 250,
      quietMs: 500,
      faultsMs: 20_000,
      faultEveryMs: 4_000,
      seed,
      print: () => undefined,
    });
    const { lost, doubled, unknown, unmovedErrors, acknowledged } = report.verdict;
    expect({ lost, doubled, unknown, unmovedErrors }).toEqual({
      lost: [],
      doubled: [],
      unknown: [],
      unmovedErrors: [],
    });
    expect(report).toMatchObject({ needlessWaits: 0, unreadable: [] });
    expect(report.waits).toBeGreaterThan(0);
    expect(report.faults.length).toBeGreaterThan(3);
    expect(acknowledged).toBeGreaterThan(1_000);
  },
  TEST_MS_MAX,
);
