import fc from "fast-check";
import { expect, it } from "vitest";
import { silentLogger } from "../kit/silent-logger.ts";
import { VirtualClock } from "../kit/virtual-clock.fixture.ts";
import { CircuitBreaker } from "./circuit-breaker.ts";

const TIMEOUT_MS = 1_000;
const INTERVAL_MS = 3_000;
const REQUESTS_MAX = 2;

/** The rules of a breaker told as what has happened since its last change of state, without any counters kept. */
class Model {
  state: "closed" | "open" | "half-open" = "closed";
  #sinceMs = 0;
  #begun = 0;
  #outcomes: boolean[] = [];
  era = 0;

  look(nowMs: number): void {
    const age = nowMs - this.#sinceMs;
    if (this.state === "open" && age > TIMEOUT_MS) this.#turn("half-open", nowMs);
    else if (this.state === "closed" && age > INTERVAL_MS) this.#turn("closed", nowMs);
  }

  /** Undefined: refused. */
  begin(nowMs: number): number | undefined {
    this.look(nowMs);
    if (this.state === "open" || (this.state === "half-open" && this.#begun >= REQUESTS_MAX)) return undefined;
    this.#begun++;
    return this.era;
  }

  end(era: number, succeeded: boolean, nowMs: number): void {
    this.look(nowMs);
    if (era !== this.era) return;
    this.#outcomes.push(succeeded);
    const failuresInARow = this.#outcomes.length - 1 - this.#outcomes.lastIndexOf(true);
    const successesInARow = this.#outcomes.length - 1 - this.#outcomes.lastIndexOf(false);
    if (this.state === "half-open" && !succeeded) this.#turn("open", nowMs);
    else if (this.state === "half-open" && successesInARow >= REQUESTS_MAX) this.#turn("closed", nowMs);
    else if (this.state === "closed" && !succeeded && failuresInARow > 5) this.#turn("open", nowMs);
  }

  #turn(state: "closed" | "open" | "half-open", nowMs: number): void {
    this.state = state;
    this.#sinceMs = nowMs;
    this.#begun = 0;
    this.#outcomes = [];
    this.era++;
  }
}

type Step =
  | { readonly do: "begin" }
  | { readonly do: "end"; readonly which: number; readonly good: boolean }
  | { readonly do: "wait"; readonly ms: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.constant<Step>({ do: "begin" }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant("end" as const), which: fc.nat(9), good: fc.boolean() }) },
  {
    weight: 5,
    arbitrary: fc.record({ do: fc.constant("end" as const), which: fc.constant(0), good: fc.constant(false) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("wait" as const), ms: fc.nat(2_000) }) },
);

it("goes through the same states as its model and refuses the same calls", () => {
  const seen = new Set<string>();
  fc.assert(
    fc.property(fc.array(step, { minLength: 20, maxLength: 200 }), (steps) => {
      const clock = new VirtualClock(0);
      const breaker = new CircuitBreaker(
        "cb",
        { name: "cb", requestsMax: REQUESTS_MAX, intervalMs: INTERVAL_MS, timeoutMs: TIMEOUT_MS, trip: undefined },
        clock,
        silentLogger,
      );
      const model = new Model();
      const underWay: { readonly generation: number; readonly era: number }[] = [];
      for (const each of steps) {
        if (each.do === "wait") {
          clock.advance(each.ms);
        } else if (each.do === "begin") {
          const era = model.begin(clock.now());
          const refused = attempt(() => underWay.push({ generation: breaker.begin(), era: era ?? -1 }));
          expect(refused).toBe(era === undefined);
        } else if (underWay.length > 0) {
          const [call] = underWay.splice(each.which % underWay.length, 1);
          breaker.end(call?.generation ?? 0, each.good);
          model.end(call?.era ?? 0, each.good, clock.now());
        }
        model.look(clock.now());
        expect(breaker.state).toBe(model.state);
        seen.add(model.state);
      }
    }),
    { numRuns: 500 },
  );
  expect([...seen].sort()).toEqual(["closed", "half-open", "open"]);
});

/** Whether it threw. */
function attempt(action: () => void): boolean {
  try {
    action();
    return false;
  } catch {
    return true;
  }
}
