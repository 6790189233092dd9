import fc from "fast-check";
import { expect, it } from "vitest";
import { ApiError } from "../../errors/error.ts";
import { NEVER_CANCELLED } from "../../kit/cancel-signal.ts";
import { nextTurn } from "../../kit/turn.ts";
import type { Policy } from "../../resiliency/types.ts";
import { ActorClosedError } from "./active-actor.ts";
import { DistantStore, type Mishap, StateHost } from "./actor-state.fixture.ts";

const A = { type: "t", id: "a" };
const COUNT = "app||t||a||n";
const TOKEN = "app||t||a||token";

type Action = "count" | "countTwice" | "countAndTouch" | "read" | "leave";

interface Plan {
  /** What the app of each host does, one turn after the other; each host takes the actor for its own. */
  readonly hosts: readonly (readonly Action[])[];
  /** Which of the steps that are possible comes next, again and again from the start. */
  readonly choices: readonly number[];
  readonly mishaps: readonly Mishap[];
  readonly repeats: boolean;
}

const plans: fc.Arbitrary<Plan> = fc.record({
  hosts: fc.array(
    fc.array(fc.constantFrom<Action>("count", "count", "countTwice", "countAndTouch", "read", "leave"), {
      minLength: 1,
      maxLength: 6,
    }),
    { minLength: 2, maxLength: 3 },
  ),
  choices: fc.array(fc.nat(11), { minLength: 1, maxLength: 40 }),
  mishaps: fc.array(fc.constantFrom<Mishap>("none", "none", "none", "lost", "unanswered", "late"), {
    minLength: 1,
    maxLength: 12,
  }),
  repeats: fc.boolean(),
});

/** Steps that wait to be taken, in an order that a plan decides. */
class Steps {
  readonly #waiting: (() => void)[] = [];

  readonly pass = (): Promise<void> => new Promise((resolve) => this.#waiting.push(resolve));

  async takeAll(choices: readonly number[]): Promise<void> {
    for (let taken = 0; ; taken += 1) {
      await nextTurn();
      if (this.#waiting.length === 0) {
        return;
      }
      const [step] = this.#waiting.splice((choices[taken % choices.length] ?? 0) % this.#waiting.length, 1);
      step?.();
    }
  }
}

const TWICE: Policy = {
  repeats: true,
  run: (attempt) => attempt(NEVER_CANCELLED, 1).catch(() => attempt(NEVER_CANCELLED, 2)),
};

/** What an app does that keeps the state of its actor in memory while it is active, as those of Dapr's SDKs do. */
class CountingApp {
  readonly outcomes = new Map<string, string>();
  readonly #host: StateHost;
  readonly #name: string;
  #count: number | undefined;

  constructor(host: StateHost, name: string) {
    this.#host = host;
    this.#name = name;
    host.onDeactivate = () => (this.#count = undefined);
  }

  async act(action: Action): Promise<void> {
    if (action === "leave") {
      await this.#host.active.halt(() => false);
      return;
    }
    const turn = this.#host.turn(A, async () => {
      this.#count ??= Number((await this.#host.read(A, "n")) ?? 0);
      if (action === "countAndTouch") {
        await Promise.all([this.#countUp(), this.#commit({})]);
      } else if (action !== "read") {
        await this.#countUp();
      }
      if (action === "countTwice") {
        await this.#countUp();
      }
    });
    await turn.catch((error: unknown) => expect(isExpected(error), String(error)).toBe(true));
  }

  async #countUp(): Promise<void> {
    const next: number = (this.#count ?? 0) + 1;
    await this.#commit({ n: String(next) });
    this.#count = next;
  }

  async #commit(values: Readonly<Record<string, string>>): Promise<void> {
    const token = `${this.#name}-${this.outcomes.size}`;
    this.outcomes.set(token, "pending");
    try {
      await this.#host.write(A, { ...values, token });
      this.outcomes.set(token, "done");
    } catch (error) {
      this.outcomes.set(token, error instanceof ApiError ? error.entry.code : "closed");
      throw error;
    }
  }
}

function isExpected(error: unknown): boolean {
  return error instanceof ApiError || error instanceof ActorClosedError;
}

/** Runs a plan and gives what it has found wrong. */
async function violations(plan: Plan, fenced: boolean): Promise<readonly string[]> {
  const store = new DistantStore(fenced);
  const steps = new Steps();
  const written: string[] = [];
  const found: string[] = [];
  let mishaps = 0;
  store.pass = steps.pass;
  store.mishap = () => plan.mishaps[mishaps++ % plan.mishaps.length] ?? "none";
  store.onWrite = (operations) => {
    const value = (key: string): string =>
      String(operations.flatMap((one) => (one.kind === "upsert" && one.request.key === key ? one.request.value : [])));
    const count = Number(store.rows.get(COUNT) ?? 0);
    written.push(value(TOKEN));
    if (value(COUNT) !== "" && Number(value(COUNT)) !== count + 1) {
      found.push(`${value(TOKEN)} wrote ${value(COUNT)} over ${count}`);
    }
  };
  const apps = plan.hosts.map((_, index) => {
    const policies = { component: () => (plan.repeats ? TWICE : undefined) };
    return new CountingApp(new StateHost(store, { policies }), String(index));
  });
  const all = Promise.all(
    plan.hosts.map(async (actions, index) => {
      for (const action of actions) {
        await apps[index]?.act(action);
      }
    }),
  );
  await steps.takeAll(plan.choices);
  await all;
  for (const [token, outcome] of apps.flatMap(({ outcomes }) => [...outcomes])) {
    const times = written.filter((one) => one === token).length;
    if (times > 1 || (outcome === "done" && times !== 1) || (outcome === "ERR_ACTOR_STATE_FENCED" && times !== 0)) {
      found.push(`${token} ended as ${outcome} and was written ${times} times`);
    }
  }
  return found;
}

it("whoever commits has seen all that was committed before, and knows whether it has committed", async () => {
  await fc.assert(
    fc.asyncProperty(plans, async (plan) => {
      expect(await violations(plan, true)).toEqual([]);
    }),
    { numRuns: 500 },
  );
});

it("without fences the same activations lose what others have written", async () => {
  const found = await Promise.all(fc.sample(plans, { seed: 1, numRuns: 50 }).map((plan) => violations(plan, false)));
  expect(found.flat()).not.toEqual([]);
});
