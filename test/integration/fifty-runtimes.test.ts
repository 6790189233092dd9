import { expect, it } from "vitest";
import { type ActorContext, createRuntime, createSharedScope } from "../../src/embed/index.ts";
import { countingClock } from "../harness/counting-clock.ts";
import { component, temporaryFolder } from "../harness/resources.ts";
import { until } from "../harness/until.ts";

const RUNTIMES = 50;
const ACTORS = 200;

const reminded: string[] = [];

class Counter {
  readonly #actor: ActorContext;

  constructor(actor: ActorContext) {
    this.#actor = actor;
  }

  async add(): Promise<number> {
    const count = ((await this.#actor.state.get<number>("count")) ?? 0) + 1;
    await this.#actor.state.set("count", count);
    return count;
  }

  async remind(): Promise<void> {
    this.#actor.timers.set("late", "add", { dueTime: "1h" });
    await this.#actor.reminders.set("soon", { dueTime: "0s" });
  }

  onReminder(): void {
    reminded.push(this.#actor.id);
  }
}

/** Kinds of what would keep the process alive, and how many of each. */
function handles(): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const kind of process.getActiveResourcesInfo()) {
    counts[kind] = (counts[kind] ?? 0) + 1;
  }
  return counts;
}

it("fifty runtimes of one scope share actors and reminders, and leave nothing behind", async () => {
  await using folder = await temporaryFolder();
  await folder.write("store.yaml", component("store", "state.in-memory", { actorStateStore: "true" }));
  const clock = countingClock();
  const shared = createSharedScope();
  const before = handles();
  const runtimes = await Promise.all(
    Array.from({ length: RUNTIMES }, () =>
      createRuntime({ appId: "shop", resourcesPaths: [folder.path], actors: { Counter }, shared, clock }),
    ),
  );
  const ids = Array.from({ length: ACTORS }, (_, index) => `actor-${index}`);
  const callAll = (method: string): Promise<unknown[]> =>
    Promise.all(ids.map(async (id, index) => await runtimes[index % RUNTIMES]?.actor("Counter", id).call(method)));
  expect(new Set(await callAll("add"))).toEqual(new Set([1]));
  const hosting = runtimes.filter(({ actors }) => (actors.status().active[0]?.count ?? 0) > 0);
  expect(hosting.length).toBeGreaterThan(RUNTIMES / 2);
  await callAll("remind");
  await until("every reminder has come", () => reminded.length >= ACTORS);
  expect(reminded.toSorted()).toEqual(ids.toSorted());
  await Promise.all(runtimes.map((runtime) => runtime.close()));
  expect(clock.pendingTimers).toBe(0);
  await until("no handle is left", () => {
    const left = Object.entries(handles()).filter(([kind, count]) => count > (before[kind] ?? 0));
    expect(left).toEqual([]);
    return true;
  });
});
