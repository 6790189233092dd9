import { expect, test } from "vitest";
import { crashPubSub } from "./pubsub-crash.ts";

/** The full count is `npm run crash`. */
const KILLS = 12;

test("a broker that is killed while it publishes and delivers loses no acknowledged message", async () => {
  const report = await crashPubSub(KILLS);
  console.log(JSON.stringify(report));
  expect(report.missing).toEqual([]);
  expect(report.torn).toEqual([]);
  expect(report.inHand).toBeGreaterThan(0);
  expect(report.redeliveredMs).toBeGreaterThan(0);
  // That it was under load when it was killed; how much of it is the machine's affair.
  expect(report.killsInFlight).toBeGreaterThan(KILLS / 2);
  expect(report.acknowledged).toBeGreaterThan(KILLS * 10);
}, 120_000);
