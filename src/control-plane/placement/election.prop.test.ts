import fc from "fast-check";
import { expect, it } from "vitest";
import { seededRandom } from "../../kit/seeded-random.fixture.ts";
import { Ballots } from "./ballots.fixture.ts";
import { BACKOFF_MS_MAX, VOTE_MS } from "./election.ts";

/** From the end of all trouble to a leader: votes run out, some campaigns are lost. */
const PEACE_MS = 2 * VOTE_MS + 20 * BACKOFF_MS_MAX;

const trouble = fc.record({
  member: fc.nat({ max: 4 }),
  kind: fc.constantFrom("cut-off", "stall", "go-on", "restart", "crash", "heal", "slow", "quick", "lossy"),
  lastsMs: fc.integer({ min: 1, max: 4_000 }),
});

it("never has two leaders, and has one again once the trouble is over", { timeout: 120_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(2, 3, 5),
      fc.array(trouble, { minLength: 1, maxLength: 12, size: "max" }),
      fc.integer(),
      async (members, troubles, seed) => {
        const ballots = new Ballots(members, seed);
        const weather = { next: seededRandom(seed + 1) };
        const one = (): void => {
          expect(ballots.leaders().length).toBeLessThanOrEqual(1);
        };
        ballots.startAll();
        await ballots.run(4_000, one);
        for (const { member, kind, lastsMs } of troubles) {
          const id = ballots.ids[member % members] ?? "";
          switch (kind) {
            case "cut-off":
              ballots.cutOff(id);
              break;
            case "stall":
            case "go-on":
              ballots.stall(id, kind === "stall");
              break;
            case "restart":
              ballots.restart(id);
              break;
            case "crash":
              ballots.crash(id);
              break;
            case "heal":
              ballots.heal();
              break;
            case "slow":
              ballots.delayMs = () => 1 + Math.floor(weather.next() * 3_000);
              break;
            case "lossy":
              ballots.delayMs = () => (weather.next() < 0.4 ? undefined : 1 + Math.floor(weather.next() * 200));
              break;
            case "quick":
              ballots.delayMs = () => 1;
          }
          await ballots.run(lastsMs, one);
        }
        ballots.heal();
        ballots.delayMs = () => 1;
        for (const id of ballots.ids) {
          ballots.ensureRunning(id);
        }
        await ballots.run(PEACE_MS, one);
        expect(ballots.leaders()).toHaveLength(1);
      },
    ),
    { numRuns: 150 },
  );
});
