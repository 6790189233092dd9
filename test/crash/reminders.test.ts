import { expect, test } from "vitest";
import { runDueReminders } from "./due-reminders.ts";

const REMINDERS = 2_000;
const SPREAD_MS = 4_000;
const KILLS = 2;
/** Longer than all that is waited for in it. */
const TEST_MS_MAX = 300_000;

test(
  `${KILLS} kills of the scheduler while ${REMINDERS} reminders are due: all fire, none early, few again`,
  async () => {
    const seed = Number(process.env["CRASH_SEED"] ?? Math.trunc(Math.random() * 2 ** 32));
    console.log(`CRASH_SEED=${seed}`);
    const report = await runDueReminders({ reminders: REMINDERS, spreadMs: SPREAD_MS, kills: KILLS, seed });
    console.log(JSON.stringify(report));
    expect(report).toMatchObject({ registered: REMINDERS, missing: 0, early: 0 });
    expect(report.outagesMs).toHaveLength(KILLS);
    expect(report.repeated).toBeLessThan(REMINDERS / 2);
  },
  TEST_MS_MAX,
);
