import fc from "fast-check";
import { expect, it } from "vitest";
import { silentLogger } from "../../kit/silent-logger.ts";
import { VirtualClock } from "../../kit/virtual-clock.fixture.ts";
import { Dissemination } from "./dissemination.ts";
import { FakeHost, hostOf, settle } from "./fake-host.fixture.ts";

const TIMEOUT_MS = 1_000;

const types = fc.subarray(["cat", "dog", "bird"]);
const which = fc.nat({ max: 20 });
const event = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("join" as const), types }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("leave" as const), which }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("report" as const), which, types }) },
  { weight: 20, arbitrary: fc.record({ kind: fc.constant("answer" as const), which }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("answer again" as const), which }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("all answer" as const) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("wait" as const), ms: fc.integer({ min: 1, max: 700 }) }) },
);

interface Live {
  readonly id: string;
  readonly host: FakeHost;
  types: readonly string[];
  /** Has had no types at some time: it may have been given a table outside of the rounds. */
  idle: boolean;
  /** The version that was locked last, and what may come next. */
  version: number;
  next: readonly string[];
}

/** Reads what a host has heard and holds it against the protocol. @returns whether its stream has ended */
function follow(live: Live): boolean {
  for (const heard of live.host.news()) {
    const [operation = "", version] = heard.split(/[ :]+/);
    if (operation === "end") {
      return true;
    }
    expect(["lock", ...live.next], `${live.id} hears ${heard}`).toContain(operation);
    if (operation === "lock") {
      expect(Number(version)).toBeGreaterThanOrEqual(live.version);
      live.version = Number(version);
      live.next = ["update"];
    } else {
      expect(Number(version)).toBe(live.version);
      live.next = operation === "update" ? ["unlock"] : [];
    }
  }
  return false;
}

/** A phase begins when everybody has acknowledged the one before. */
function checkPhases(all: readonly Live[]): void {
  const inRounds = all.filter(({ idle }) => !idle);
  for (const { id, host, version } of inRounds) {
    const open = host.unanswered.filter((order) => order.version === version).map(({ operation }) => operation);
    expect(open.length, `${id} has not acknowledged ${open.join(", ")}`).toBeLessThanOrEqual(1);
    const behind = open[0] === "lock" ? "update" : open[0] === "update" ? "unlock" : undefined;
    for (const other of inRounds) {
      const ahead = other.host.everHeard.some((heard) => heard.split(":")[0] === `${behind} ${version}`);
      expect(ahead, `${other.id} has heard ${behind} before ${id} has acknowledged`).toBe(false);
    }
  }
}

it("keeps every stream to the protocol, and ends with all knowing the same table, whatever happens in whatever order", () => {
  fc.assert(
    fc.property(
      fc.array(event, { maxLength: 120, size: "max" }),
      fc.constantFrom(0, 300),
      (events, coalesceWindowMs) => {
        const clock = new VirtualClock();
        const rounds = new Dissemination({
          namespace: "default",
          replicationFactor: 100,
          timeoutMs: TIMEOUT_MS,
          coalesceWindowMs,
          clock,
          logger: silentLogger,
          onMembership: () => undefined,
        });
        let all: Live[] = [];
        let joined = 0;
        const drop = (one: Live | undefined): void => {
          all = all.filter((other) => other !== one);
        };
        for (const one of events) {
          if (one.kind === "join") {
            const id = `h${joined++}`;
            const open: ConstructorParameters<typeof FakeHost>[0] = (first, sink) => {
              const member = rounds.open(first, sink);
              return { report: (next) => rounds.report(member, next), close: () => rounds.close(member) };
            };
            all.push({
              id,
              host: new FakeHost(open, hostOf(id, one.types)),
              types: one.types,
              idle: one.types.length === 0,
              version: 0,
              next: [],
            });
          } else if (one.kind === "wait") {
            clock.advance(one.ms);
          } else if (one.kind === "all answer") {
            settle(...all.map(({ host }) => host));
          } else {
            const live = all[one.which % Math.max(1, all.length)];
            if (one.kind === "leave") {
              live?.host.stream.close();
              drop(live);
            } else if (one.kind === "report" && live !== undefined) {
              live.host.stream.report(hostOf(live.id, one.types));
              live.types = one.types;
              live.idle ||= one.types.length === 0;
            } else if (one.kind === "answer") {
              live?.host.answerOne();
            } else if (one.kind === "answer again") {
              live?.host.answerAgain();
            }
          }
          for (const live of all) {
            if (follow(live)) {
              drop(live);
            }
          }
          checkPhases(all);
        }

        // Peace: everybody answers, and windows pass.
        for (let round = 0; round < 3; round++) {
          settle(...all.map(({ host }) => host));
          clock.advance(coalesceWindowMs);
        }
        const table = all.flatMap((live) => live.types.map((type) => `${type}@${live.id}`)).toSorted();
        for (const { id, host } of all) {
          const updates = host.everHeard.filter((heard) => heard.startsWith("update "));
          expect(updates.at(-1)?.replace(/^update \d+: /, ""), id).toBe(table.join(", "));
          expect(host.everHeard.at(-1), id).toMatch(/^unlock /);
        }
        expect(
          rounds
            .state()
            .hosts.map((host) => host.id)
            .toSorted(),
        ).toEqual(
          all
            .filter((live) => live.types.length > 0)
            .map((live) => live.id)
            .toSorted(),
        );
        expect(rounds.runtimes).toBe(all.length);
        clock.advance(TIMEOUT_MS + coalesceWindowMs);
        expect(clock.pendingTimers).toBe(0);
      },
    ),
    { numRuns: 500 },
  );
});
