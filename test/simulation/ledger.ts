import type { World } from "./world.ts";

/** What must never happen has happened. */
export class Violation extends Error {
  override readonly name = "Violation";
}

/** How a reminder or job goes on when its handler fails. */
export type FailureKind = "again" | "default" | "drop";

/** One version of a reminder or job, as a client asked for it. */
export interface Version {
  readonly id: string;
  /** Unique among reminders and jobs; versions of one name follow each other. */
  readonly name: string;
  /** Of a reminder; undefined for a job. */
  readonly actor: string | undefined;
  /** The first trigger, by the scheduler's wall clock. */
  readonly dueMs: number;
  readonly periodMs: number | undefined;
  /** Undefined: without end. */
  readonly repeats: number | undefined;
  readonly onFailure: FailureKind;
  accepted: boolean;
  /** Somebody has asked to replace or delete it, and whether that was answered. */
  replaced: "no" | "asked" | "answered";
  /** Triggers that the scheduler has sent, those that have reached the app, and those that it has done. */
  sent: number;
  delivered: number;
  done: number;
}

interface Counter {
  ops: readonly string[];
  activation: string;
}

/** What clients were told, what stores hold and what apps were asked: the truth that everything is held against. */
export class Ledger {
  readonly versions = new Map<string, Version>();
  readonly stats = { acknowledged: 0, failed: 0, commits: 0, refusedCommits: 0, triggers: 0, calm: 0 };
  violation: Violation | undefined;
  readonly #world: World;
  readonly #asked = new Set<string>();
  readonly #acknowledged = new Map<string, string>();
  readonly #counters = new Map<string, Counter>();
  readonly #turns = new Map<string, string>();
  readonly #pastWriters = new Set<string>();
  readonly #pastHosts = new Set<string>();

  constructor(world: World) {
    this.#world = world;
  }

  /** The first violation is the one that counts. */
  violate(text: string): void {
    if (this.violation === undefined) {
      this.violation = new Violation(text);
      this.#world.note(`VIOLATION ${text}`);
    }
  }

  asked(op: string): void {
    this.#asked.add(op);
  }

  acknowledged(actor: string, op: string): void {
    this.stats.acknowledged += 1;
    this.#acknowledged.set(op, actor);
  }

  /** A turn of an actor begins: whoever had it before has lost it. */
  turnBegan(actor: string, activation: string): void {
    const last = this.#turns.get(actor);
    if (last !== activation) {
      this.#pastHosts.add(`${actor} ${last}`);
      this.#turns.set(actor, activation);
    }
    if (this.#pastHosts.has(`${actor} ${activation}`)) {
      this.violate(`two activations of ${actor}: ${activation} begins a turn after ${last ?? ""} has begun one`);
    }
  }

  /** A transaction has been committed. It must know all that were before. */
  committed(actor: string, ops: readonly string[], activation: string): void {
    this.stats.commits += 1;
    const before = this.#counters.get(actor);
    const known = before?.ops ?? [];
    const added = ops.at(-1) ?? "";
    if (ops.length !== known.length + 1 || known.some((op, index) => ops[index] !== op)) {
      this.violate(
        `a commit of ${activation} has not seen all that were before: ${actor} had [${known.slice(-4).join(" ")}] (${known.length}) and has [${ops.slice(-4).join(" ")}] (${ops.length})`,
      );
    }
    if (known.includes(added)) {
      this.violate(`${actor}: ${added} was carried out twice`);
    }
    if (!this.#asked.has(added)) {
      this.violate(`${actor}: nobody asked for ${added}`);
    }
    if (before !== undefined && before.activation !== activation) {
      this.#pastWriters.add(`${actor} ${before.activation}`);
    }
    if (this.#pastWriters.has(`${actor} ${activation}`)) {
      this.violate(`${actor}: ${activation} commits across ${before?.activation ?? ""}`);
    }
    this.#counters.set(actor, { ops, activation });
  }

  /** A trigger goes out. @param count how many were done before, in the scheduler's own book */
  sent(id: string, count: number, wallMs: number): void {
    const version = this.versions.get(id);
    if (version === undefined) {
      this.violate(`a trigger of an unknown version ${id}`);
      return;
    }
    this.stats.triggers += 1;
    version.sent += 1;
    const dueMs = version.dueMs + count * (version.periodMs ?? 0);
    if (wallMs < dueMs) {
      this.violate(`early: trigger ${count + 1} of ${id} is due in ${dueMs - wallMs} ms by the scheduler's clock`);
    }
    if (version.replaced === "answered") {
      this.violate(`${id} triggers though it has been replaced or deleted`);
    }
  }

  /** All operations that clients know to be done, in the end. */
  checkCounters(): void {
    const found = new Map<string, string>();
    for (const [actor, { ops }] of this.#counters) {
      for (const op of ops) {
        found.set(op, actor);
      }
    }
    for (const [op, actor] of this.#acknowledged) {
      if (found.get(op) !== actor) {
        this.violate(`lost: ${op} of ${actor} was acknowledged and is not there`);
      }
    }
  }

  /** Triggers that ought to have come by now. @param wallMs the scheduler's clock @param excused actors that cannot answer yet */
  checkTriggers(wallMs: number, excused: ReadonlySet<string>): void {
    for (const version of this.versions.values()) {
      const { id, actor, accepted, replaced, onFailure } = version;
      if (!accepted || replaced !== "no" || excused.has(actor ?? "")) {
        continue;
      }
      const due = occurrences(version, wallMs);
      const come = onFailure === "again" ? version.done : version.sent;
      if (come < due) {
        this.violate(
          `late or lost: ${id} was due ${due} times by ${wallMs} and has come ${come} times (sent ${version.sent}, delivered ${version.delivered}; first due ${version.dueMs})`,
        );
      }
    }
  }
}

function occurrences({ dueMs, periodMs, repeats }: Version, wallMs: number): number {
  if (wallMs < dueMs) {
    return 0;
  }
  const passed = periodMs === undefined ? 1 : Math.floor((wallMs - dueMs) / periodMs) + 1;
  return Math.min(passed, periodMs === undefined ? 1 : (repeats ?? Infinity));
}
