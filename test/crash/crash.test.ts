import { expect, test } from "vitest";
import { installed } from "../executable/program.ts";
import { runCrashes } from "./crashes.ts";
import { Ledger } from "./ledger.ts";
import { valueOf } from "./value.ts";
import { temporaryFolder } from "../harness/resources.ts";

const KILLS = 6;
/** Longer than all that is waited for in it. */
const TEST_MS_MAX = 420_000;

test(
  `${KILLS} kills under load lose nothing that was acknowledged`,
  async () => {
    using copy = installed();
    const seed = Number(process.env["CRASH_SEED"] ?? Math.trunc(Math.random() * 2 ** 32));
    console.log(`CRASH_SEED=${seed}`);
    const report = await runCrashes({ program: copy.program, args: [], kills: KILLS, seed });
    expect(report).toMatchObject({ missing: [], torn: [], refused: [], integrity: "ok" });
    expect(report.kills).toHaveLength(KILLS);
    expect(report.acked).toBeGreaterThan(KILLS * 10);
    expect(report.inFlightShare).toBeGreaterThan(0.5);
  },
  TEST_MS_MAX,
);

test("the judge sees a lost write, a torn row and half a transaction", async () => {
  await using folder = await temporaryFolder();
  const log = await folder.write(
    "w.log",
    "sent a 1\nacked a 1\nsent a 2\nacked a 2\nsent b 1\nsent w-left 1\nsent w-right 1\nsent c 1\n",
  );
  const ledger = new Ledger([log]);
  ledger.refresh();
  const row = (key: string, seq: number): [string, unknown] => [key, JSON.parse(valueOf(key, seq))];
  const whole = new Map([row("a", 2), row("b", 1)]);
  expect(ledger.judge(whole)).toEqual({ rows: 5, missing: [], torn: [] });
  expect(ledger.judge(new Map([row("a", 1)])).missing).toEqual(["a holds 1, acknowledged was 2"]);
  expect(ledger.judge(new Map()).missing).toHaveLength(1);
  expect(ledger.judge(new Map([...whole, row("w-left", 1)])).torn).toHaveLength(1);
  expect(ledger.judge(new Map([...whole, row("c", 2)])).torn).toHaveLength(1);
  const [, torn] = row("b", 1);
  expect(ledger.judge(new Map([...whole, ["b", { ...(torn as object), seq: 0 }]])).torn).toHaveLength(1);
});
