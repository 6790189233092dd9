import { expect, it } from "vitest";
import { systemRandom } from "../../kit/random.ts";
import { silentLogger } from "../../kit/silent-logger.ts";
import { VirtualClock } from "../../kit/virtual-clock.fixture.ts";
import { CAMPAIGN_MS, Election, LEASE_MS, TICK_MS, type Vote, VOTE_MS } from "./election.ts";
import { Ballots } from "./ballots.fixture.ts";

it("a single member leads at once", () => {
  const ballots = new Ballots(1);
  ballots.startAll();
  expect(ballots.leaders()).toEqual(["m0"]);
});

it("a single member gives leadership up when it stops", async () => {
  const ballots = new Ballots(1);
  ballots.startAll();
  await ballots.stop("m0");
  expect(ballots.told).toEqual(["m0 leads", "m0 leads no longer"]);
});

it("of three, one leads within seconds, and goes on to", async () => {
  const ballots = new Ballots(3);
  ballots.startAll();
  await ballots.run(VOTE_MS - 10);
  expect(ballots.leaders()).toEqual([]);
  await ballots.run(5_000);
  const [leader] = ballots.leaders();
  expect(leader).toBeDefined();
  await ballots.run(60_000);
  expect(ballots.leaders()).toEqual([leader]);
  expect(ballots.told).toEqual([`${leader} leads`]);
});

it("no one leads without a majority", async () => {
  const ballots = new Ballots(3);
  ballots.start("m0");
  await ballots.run(60_000);
  expect(ballots.leaders()).toEqual([]);
  ballots.start("m2");
  await ballots.run(10_000);
  expect(ballots.leaders()).toHaveLength(1);
});

it("a leader that is cut off has stopped before the next one begins", async () => {
  const ballots = new Ballots(3);
  ballots.startAll();
  await ballots.run(10_000);
  const first = ballots.leaders()[0] ?? "";
  ballots.cutOff(first);
  await ballots.run(LEASE_MS + TICK_MS);
  expect(ballots.leaders()).toEqual([]);
  expect(ballots.told).toEqual([`${first} leads`, `${first} leads no longer`]);
  await ballots.run(5_000);
  expect(ballots.leaders()).toHaveLength(1);
  expect(ballots.leaders()).not.toContain(first);
  ballots.heal();
  await ballots.run(30_000);
  expect(ballots.told).toHaveLength(3);
});

it("a leader that stops gives way before its votes would have run out", async () => {
  const ballots = new Ballots(3);
  ballots.startAll();
  await ballots.run(10_000);
  const first = ballots.leaders()[0] ?? "";
  await ballots.stop(first);
  await ballots.run(VOTE_MS);
  expect(ballots.leaders()).toHaveLength(1);
  expect(ballots.leaders()).not.toContain(first);
});

it("a member that was started again gives no vote before one of its former life has run out", async () => {
  const ballots = new Ballots(3);
  ballots.startAll();
  await ballots.run(10_000);
  ballots.restart("m1");
  expect(ballots.ask("m1", "m2", "x")).toEqual({ granted: false, holder: "" });
  expect(ballots.ask("m1", "m2", "", true)).toEqual({ granted: false, holder: "" });
  expect(ballots.ask("m1", "m2", "")).toEqual({ granted: false, holder: "" });
  await ballots.run(VOTE_MS - 10);
  expect(ballots.ask("m1", "m2", "x").granted).toBe(false);
});

it("refuses who is no member, and keeps to the one who has the vote", async () => {
  const ballots = new Ballots(3);
  ballots.start("m0");
  ballots.cutOff("m0");
  await ballots.run(VOTE_MS);
  expect(ballots.ask("m0", "stranger", "s")).toEqual({ granted: false, holder: "" });
  expect(ballots.ask("m0", "m1", "a")).toEqual({ granted: true, holder: "m1" });
  expect(ballots.ask("m0", "m2", "b")).toEqual({ granted: false, holder: "m1" });
  expect(ballots.ask("m0", "m2", "b", true)).toEqual({ granted: false, holder: "m1" });
  // An earlier campaign of the same member, which comes late.
  expect(ballots.ask("m0", "m1", "before", true)).toEqual({ granted: false, holder: "m1" });
  expect(ballots.ask("m0", "m1", "a", true)).toEqual({ granted: false, holder: "" });
  expect(ballots.ask("m0", "m2", "b")).toEqual({ granted: true, holder: "m2" });
});

it("answers to a campaign that was given up do not count in the next one", async () => {
  const clock = new VirtualClock();
  const asked: { readonly campaign: string; readonly release: boolean; answer(vote: Vote): void }[] = [];
  const election = new Election({
    id: "m0",
    members: ["m0", "m1", "m2"],
    ask: (_member, { campaign, release }) => {
      const { promise, resolve } = Promise.withResolvers<Vote>();
      asked.push({ campaign, release, answer: resolve });
      return promise;
    },
    onChange: () => undefined,
    clock,
    random: { ...systemRandom, next: () => 0 },
    logger: silentLogger,
  });
  election.start();
  clock.advance(VOTE_MS + TICK_MS);
  const [first] = asked;
  clock.advance(CAMPAIGN_MS + 2 * TICK_MS);
  const second = asked.findLast(({ release }) => !release);
  expect(second?.campaign).not.toBe(first?.campaign);
  first?.answer({ granted: true, holder: "m0" });
  await Promise.resolve();
  expect(election.leads).toBe(false);
  second?.answer({ granted: true, holder: "m0" });
  await Promise.resolve();
  expect(election.leads).toBe(true);
});
