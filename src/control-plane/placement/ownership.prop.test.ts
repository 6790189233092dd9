import fc from "fast-check";
import { expect, it } from "vitest";
import { Cluster } from "./cluster.fixture.ts";
import { LEASE_MS, SETTLE_MS } from "./limits.ts";

const which = fc.nat({ max: 20 });
const event = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("join" as const) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("kill" as const), which }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("stop" as const), which }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("go on" as const), which }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("break" as const), which }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("restart the service" as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("stop the service" as const) }) },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant("wait" as const), ms: fc.integer({ min: 20, max: 3_000 }) }) },
);

/** A lease, the settling of a new leader, a seat taken by a stream that came late, and rounds with drains; messages may take long. */
const PEACE_MS = 2 * LEASE_MS + SETTLE_MS + 9_000;
const HOSTS_MAX = 8;

it("never has two hosts that hold an actor, holds up nobody whose actor stays, and finds an owner for all in the end", async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer(), fc.array(event, { minLength: 3, maxLength: 15 }), async (seed, events) => {
      const cluster = new Cluster(seed);
      let step = 0;
      const check = (): void => {
        step += 1;
        for (const [index, host] of cluster.hosts.entries()) {
          cluster.call(host, cluster.actors[(step * 7 + index * 3) % cluster.actors.length] ?? "");
        }
        for (const actor of cluster.actors) {
          expect(cluster.ownersOf(actor).length, `${actor} is at ${cluster.ownersOf(actor).join(", ")}`).toBeLessThan(
            2,
          );
        }
      };
      cluster.join();
      cluster.join();
      await cluster.run(1_000, check);
      for (const one of events) {
        const host = "which" in one ? cluster.hosts[one.which % Math.max(1, cluster.hosts.length)] : undefined;
        if (one.kind === "wait") {
          await cluster.run(one.ms, check);
        } else if (one.kind === "join" && cluster.hosts.length < HOSTS_MAX) {
          cluster.join();
        } else if (one.kind === "kill") {
          cluster.kill(host);
        } else if (one.kind === "break") {
          cluster.breakLink(host);
        } else if (one.kind === "restart the service") {
          cluster.restartService();
        } else if (one.kind === "stop the service") {
          cluster.service.stopped = true;
        } else if (host !== undefined && one.kind !== "join") {
          host.stopped = one.kind === "stop";
        }
      }
      cluster.heal();
      cluster.join();
      await cluster.run(PEACE_MS, check);
      expect(cluster.actors.filter((actor) => cluster.ownersOf(actor).length !== 1)).toEqual([]);
      expect(cluster.unmovedWaits).toBe(0);
      expect(cluster.turns).toBeGreaterThan(0);
    }),
    { numRuns: 80, endOnFailure: true },
  );
}, 120_000);
