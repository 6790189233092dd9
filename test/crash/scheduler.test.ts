import { expect, test } from "vitest";
import { temporaryFolder } from "../harness/resources.ts";
import { schedulerPorts } from "../harness/scheduler-program.ts";
import { crashScheduler } from "./scheduler-crashes.ts";

const KILLS = 5;
/** Longer than all that is waited for in it. */
const TEST_MS_MAX = 420_000;

test(
  `${KILLS} kills of the scheduler under load: every accepted job is triggered, and none early`,
  async () => {
    await using folder = await temporaryFolder();
    const seed = Number(process.env["CRASH_SEED"] ?? Math.trunc(Math.random() * 2 ** 32));
    console.log(`CRASH_SEED=${seed}`);
    const report = await crashScheduler({ folder: folder.path, ports: await schedulerPorts(), kills: KILLS, seed });
    console.log(`${report.accepted} jobs accepted, ${report.triggers} triggers, ${report.repeated} repeated`);
    expect(report).toMatchObject({ missing: [], early: [] });
    expect(report.accepted).toBeGreaterThan(KILLS * 50);
  },
  TEST_MS_MAX,
);
