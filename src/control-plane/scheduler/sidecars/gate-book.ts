import type { WatchJobsRequestInitial } from "../../../wire/gen/dapr/proto/scheduler/v1/scheduler_pb.js";
import { GATED_MAX } from "../limits.ts";
import type { SchedulerMetrics } from "../../../telemetry/metrics/scheduler-metrics.ts";
import { Fifo } from "../triggers/fifo.ts";
import type { JobEntry } from "../triggers/job-entry.ts";
import type { Delivery } from "./delivery.ts";
import { Gate, type GateShare, shareOf } from "./gate.ts";

/** Triggers that wait for the same gates, first come, first served. */
interface Line {
  readonly gates: readonly Gate[];
  readonly waiting: Fifo<{ readonly delivery: Delivery; readonly ticket: number }>;
}

const NO_GATES: readonly Gate[] = [];

/** Of a scheduler without others. */
export const ALONE: GateShare = { index: 0, total: 1 };

/**
 * The concurrency limits of one namespace. A trigger takes all of its gates at once or waits in the line of those who need
 * the same; when a gate is freed, the line whose first has waited longest goes first.
 */
export class GateBook {
  readonly #metrics: SchedulerMetrics;
  readonly #gates = new Map<string, Gate>();
  readonly #lines = new Map<string, Line>();
  #share: GateShare;
  #tickets = 0;
  #waiting = 0;

  constructor(metrics: SchedulerMetrics, share: GateShare = ALONE) {
    this.#metrics = metrics;
    this.#share = share;
  }

  /** The limits are divided among others now. */
  set share(share: GateShare) {
    this.#share = share;
    for (const gate of this.#gates.values()) {
      gate.limit = shareOf(gate.asked, share);
    }
  }

  get isEmpty(): boolean {
    return this.#gates.size === 0;
  }

  /** A stream's limits hold from now on, for everybody's triggers. @returns the gates to let go with the stream */
  join(initial: WatchJobsRequestInitial): readonly Gate[] {
    const joined: Gate[] = [];
    for (const { maxConcurrent, name, target } of initial.concurrencyLimits) {
      if (maxConcurrent <= 0 || target.case !== "actor") {
        continue;
      }
      const key = name === undefined ? target.value.type : `${target.value.type}:${name}`;
      let gate = this.#gates.get(key);
      if (gate === undefined) {
        gate = new Gate(key, maxConcurrent, this.#share);
        this.#gates.set(key, gate);
      }
      gate.asked = maxConcurrent;
      gate.limit = shareOf(maxConcurrent, this.#share);
      gate.references += 1;
      joined.push(gate);
    }
    return joined;
  }

  /** @returns triggers that waited for a limit which nobody asks for any more */
  leave(gates: readonly Gate[]): readonly Delivery[] {
    const freed: Delivery[] = [];
    for (const gate of gates) {
      gate.references -= 1;
      if (gate.references > 0) {
        continue;
      }
      this.#gates.delete(gate.key);
      for (const [key, line] of this.#lines) {
        if (line.gates.includes(gate)) {
          this.#lines.delete(key);
          this.#left(line, line.waiting.size);
          for (const { delivery } of line.waiting.takeAll()) {
            freed.push(delivery);
          }
        }
      }
    }
    return freed;
  }

  gatesOf({ plan: { actorType, concurrencyKey } }: JobEntry): readonly Gate[] {
    if (this.#gates.size === 0 || actorType === undefined) {
      return NO_GATES;
    }
    const ofType = this.#gates.get(actorType);
    const named = concurrencyKey === undefined ? undefined : this.#gates.get(`${actorType}:${concurrencyKey}`);
    return [ofType, named].filter((gate) => gate !== undefined);
  }

  /** Takes all gates of a trigger that nobody waits for before it. */
  enter(delivery: Delivery): boolean {
    const full = delivery.gates.find((gate) => !gate.hasRoom);
    if (full === undefined && !this.#lines.has(lineKey(delivery.gates))) {
      this.#take(delivery.gates);
      return true;
    }
    const first = full ?? delivery.gates[0];
    if (first !== undefined) {
      this.#metrics.throttled(first.key);
    }
    return false;
  }

  /** Puts a trigger at the end of its line. @returns false when too many wait */
  wait(delivery: Delivery): boolean {
    if (this.#waiting >= GATED_MAX) {
      return false;
    }
    const { gates } = delivery;
    const key = lineKey(gates);
    let line = this.#lines.get(key);
    if (line === undefined) {
      line = { gates, waiting: new Fifo() };
      this.#lines.set(key, line);
    }
    this.#tickets += 1;
    line.waiting.push({ delivery, ticket: this.#tickets });
    this.#left(line, -1);
    return true;
  }

  /** A trigger is done with its gates. */
  exit({ gates }: Delivery): void {
    for (const gate of gates) {
      gate.current -= 1;
      this.#metrics.inflight(gate.key, gate.current);
    }
  }

  /** The next one that may be sent, its gates taken; undefined when none can. Those that are gone are left out. */
  next(): Delivery | undefined {
    for (;;) {
      let found: Line | undefined;
      for (const line of this.#lines.values()) {
        const ticket = line.waiting.head?.ticket ?? 0;
        if (line.gates.every((gate) => gate.hasRoom) && ticket < (found?.waiting.head?.ticket ?? Infinity)) {
          found = line;
        }
      }
      const delivery = found?.waiting.shift()?.delivery;
      if (found === undefined || delivery === undefined) {
        return undefined;
      }
      this.#left(found, 1);
      if (found.waiting.size === 0) {
        this.#lines.delete(lineKey(found.gates));
      }
      if (delivery.entry.stage !== "gone") {
        this.#take(delivery.gates);
        return delivery;
      }
    }
  }

  #take(gates: readonly Gate[]): void {
    for (const gate of gates) {
      gate.current += 1;
      this.#metrics.inflight(gate.key, gate.current);
    }
  }

  #left({ gates }: Line, count: number): void {
    this.#waiting -= count;
    const [first] = gates;
    if (first !== undefined) {
      first.waiting -= count;
      this.#metrics.pending(first.key, first.waiting);
    }
  }
}

function lineKey(gates: readonly Gate[]): string {
  return gates.map(({ key }) => key).join("\0");
}
