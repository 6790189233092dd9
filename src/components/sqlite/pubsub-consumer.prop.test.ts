import fc from "fast-check";
import { expect, test } from "vitest";
import { VirtualClock } from "../../kit/virtual-clock.fixture.ts";
import type { ConsumerOptions } from "./pubsub-consumer.ts";
import { pass, settled, SharedFile, SimulatedProcess } from "./pubsub-process.fixture.ts";

const LEASE_MS = 3_000;
const OPTIONS: Partial<ConsumerOptions> = { processingTimeoutMs: LEASE_MS };
const PROCESSES = 3;
/** A process that could not renew for as long as this may lose what it held meanwhile. */
const EXCUSED_MS = LEASE_MS / 4;
const DRAIN_ROUNDS = 200;

/** What happens next. `pick` chooses among the handlers at work. */
type Event =
  | { readonly kind: "publish"; readonly count: number }
  | { readonly kind: "wait"; readonly ms: number }
  | { readonly kind: "done" | "fail"; readonly process: number; readonly pick: number }
  | { readonly kind: "pause" | "resume" | "kill" | "breakDisk" | "mendDisk"; readonly process: number };

const process = fc.nat({ max: PROCESSES - 1 });
const events = fc.array(
  fc.oneof(
    {
      weight: 3,
      arbitrary: fc.record({ kind: fc.constant("publish" as const), count: fc.integer({ min: 1, max: 4 }) }),
    },
    {
      weight: 5,
      arbitrary: fc.record({
        kind: fc.constant("wait" as const),
        ms: fc.integer({ min: 1, max: 20 }).map((n) => n * 200),
      }),
    },
    {
      weight: 4,
      arbitrary: fc.record({ kind: fc.constantFrom("done" as const, "fail" as const), process, pick: fc.nat() }),
    },
    {
      weight: 4,
      arbitrary: fc.record({
        kind: fc.constantFrom(
          "pause" as const,
          "resume" as const,
          "resume" as const,
          "kill" as const,
          "breakDisk" as const,
          "mendDisk" as const,
          "mendDisk" as const,
        ),
        process,
      }),
    },
  ),
  { minLength: 10, maxLength: 60 },
);

/** Several processes of one consumer on one file, and what must hold at every moment. */
class World {
  readonly clock = new VirtualClock();
  readonly file = new SharedFile();
  readonly processes: SimulatedProcess[] = [];
  readonly handled = new Set<string>();
  published = 0;
  /** By process and message: for how long the process could not renew since the handler started. */
  readonly #disturbedMs = new Map<SimulatedProcess, Map<string, number>>();
  readonly #lastFirst = new Map<SimulatedProcess, number>();
  readonly #faults: string[] = [];

  async begin(): Promise<void> {
    await this.file.prepare();
    for (let index = 0; index < PROCESSES; index += 1) {
      this.#launch(index);
    }
    await settled();
  }

  async apply(event: Event): Promise<void> {
    switch (event.kind) {
      case "publish":
        for (let count = 0; count < event.count; count += 1) {
          this.published += 1;
          await this.file.publish(String(this.published), this.clock.now());
        }
        break;
      case "wait":
        for (let passedMs = 0; passedMs < event.ms; passedMs += 100) {
          await this.#pass(100);
        }
        break;
      case "done":
      case "fail":
        await this.#end(event.process, event.pick, event.kind);
        break;
      default:
        this.#disturb(event.kind, event.process);
    }
    await settled();
    this.#check();
  }

  /** Everything is mended and all handlers succeed, until nothing is left. */
  async drain(): Promise<void> {
    for (const each of this.processes) {
      each.setFailing(false);
      each.resume();
    }
    for (
      let round = 0;
      round < DRAIN_ROUNDS && (this.file.stored > 0 || this.file.deliveries().length > 0);
      round += 1
    ) {
      await settled();
      for (const each of this.processes) {
        for (const work of each.running.values()) {
          this.handled.add(work.text);
          work.done();
        }
      }
      await this.#pass(200);
    }
    this.#check();
  }

  #launch(index: number): void {
    const launched: SimulatedProcess = new SimulatedProcess(this.file, this.clock, OPTIONS, (text) =>
      this.#onStart(launched, text),
    );
    this.processes[index] = launched;
    this.#disturbedMs.set(launched, new Map());
    launched.consumer.wake();
  }

  #onStart(starter: SimulatedProcess, text: string): void {
    for (const each of this.processes) {
      if (each.running.has(text) && this.#mustHold(each, text)) {
        this.#faults.push(`message ${text} was started while another handler held it`);
      }
    }
    const delivery = this.file.deliveries().find(({ id }) => String(id) === text);
    if (delivery?.attempts === 1) {
      if (Number(text) <= (this.#lastFirst.get(starter) ?? 0)) {
        this.#faults.push(`message ${text} was started after a later one`);
      }
      this.#lastFirst.set(starter, Number(text));
    }
    this.#disturbedMs.get(starter)?.set(text, 0);
  }

  #mustHold(holder: SimulatedProcess, text: string): boolean {
    return !holder.paused && !holder.failing && (this.#disturbedMs.get(holder)?.get(text) ?? 0) < EXCUSED_MS;
  }

  async #pass(ms: number): Promise<void> {
    await pass(this.clock, ms, this.processes);
    for (const each of this.processes) {
      if (each.paused || each.failing) {
        const disturbed = this.#disturbedMs.get(each);
        for (const text of each.running.keys()) {
          disturbed?.set(text, (disturbed.get(text) ?? 0) + ms);
        }
      }
    }
  }

  /** In a process that stands still it is the first that happens when it goes on: before it notices what it has lost. */
  async #end(index: number, pick: number, how: "done" | "fail"): Promise<void> {
    const each = this.processes[index];
    const works = [...(each?.running.values() ?? [])];
    const work = works[pick % Math.max(1, works.length)];
    if (each === undefined || work === undefined) {
      return;
    }
    if (how === "done") {
      this.handled.add(work.text);
    }
    work[how]();
    await settled();
    each.resume();
  }

  #disturb(kind: "pause" | "resume" | "kill" | "breakDisk" | "mendDisk", index: number): void {
    const each = this.processes[index];
    switch (kind) {
      case "pause":
        each?.pause();
        break;
      case "resume":
        each?.resume();
        break;
      case "kill":
        each?.kill();
        this.#launch(index);
        break;
      default:
        each?.setFailing(kind === "breakDisk");
    }
  }

  /** What a process can hold is in the file, in its name. */
  #check(): void {
    const inFile = new Set(this.file.deliveries().map(({ id }) => String(id)));
    for (const each of this.processes) {
      for (const text of each.running.keys()) {
        if (this.#mustHold(each, text) && !inFile.has(text)) {
          this.#faults.push(`message ${text} was settled while its holder is at work`);
        }
      }
    }
    expect(this.#faults).toEqual([]);
  }
}

test("consumers that die, stand still and lose their disk handle every message, and no two of them one at a time", async () => {
  await fc.assert(
    fc.asyncProperty(events, async (happenings) => {
      const world = new World();
      await world.begin();
      for (const event of happenings) {
        await world.apply(event);
      }
      await world.drain();
      expect([world.file.stored, world.file.deliveries()]).toEqual([0, []]);
      expect(world.handled.size).toBe(world.published);
      await world.file.engine.close();
    }),
    { numRuns: 200 },
  );
}, 60_000);
