import { setTimeout as pause } from "node:timers/promises";
import { Pool } from "undici";
import { temporaryFolder } from "../harness/resources.ts";
import { until } from "../harness/until.ts";
import { ReminderCluster } from "./reminder-cluster.ts";
import { seededRandom } from "../../src/kit/seeded-random.fixture.ts";

/** What is registered, and how often the scheduler dies while it is due. */
export interface DueRemindersPlan {
  readonly reminders: number;
  /** They are due within so many milliseconds, evenly; 0: all at once. */
  readonly spreadMs: number;
  readonly kills: number;
  readonly seed: number;
  /** The executable; this repository's sources without it. */
  readonly program?: string | undefined;
  readonly onProgress?: (text: string) => void;
}

export interface DueRemindersReport {
  readonly registered: number;
  readonly registeredPerSecond: number;
  readonly fired: number;
  /** Registered, and never fired. */
  readonly missing: number;
  /** Fired before they were due. */
  readonly early: number;
  /** Firings beyond the first of a reminder. */
  readonly repeated: number;
  /** Milliseconds from when a reminder was due to its first firing. */
  readonly lateness: { readonly p50: number; readonly p99: number; readonly max: number };
  /** How long the scheduler was away each time, in milliseconds, from the kill until it was healthy again. */
  readonly outagesMs: readonly number[];
}

/** Reminders of one actor. */
const PER_ACTOR = 50;
const CONNECTIONS = 32;
const BODY_BYTES = 100;
/** Reminders that tell, from the second time on, how long all of them take to register; due much later. */
const PROBES = 2_000;
const LEAD_MS_MIN = 3_000;
/** Of what the probes let expect. On a machine that is too busy some are due when they are registered, and late from then on. */
const LEAD_FACTOR = 1.5;
const LEAD_MS_MAX = 60_000;
/** After the last one is due, when nothing new has come for as long. */
const QUIET_MS = 3_000;
const POLL_MS = 100;
const COMPLETE_MS_MAX = 120_000;
/** What is shown of the programs' words when reminders are missing. */
const COMPLAINTS_LENGTH_MAX = 4_000;

/** Registers reminders of many actors that are due in the same stretch of time, and counts what reaches the actors. */
export async function runDueReminders(plan: DueRemindersPlan): Promise<DueRemindersReport> {
  await using folder = await temporaryFolder();
  const tally = new Tally(plan.reminders);
  const { program } = plan;
  await using cluster = await ReminderCluster.start({
    folder,
    program,
    onReminder: (actor, name) => tally.count(actor, name),
  });
  const api = new Pool(`http://127.0.0.1:${cluster.ports.http}`, { connections: CONNECTIONS, pipelining: 1 });
  try {
    const registeredPerSecond = await register(api, plan, tally);
    const outagesMs = await killWhileDue(cluster, plan, tally);
    await complete(tally, plan);
    if (tally.first < plan.reminders) {
      plan.onProgress?.(cluster.complaints.slice(-COMPLAINTS_LENGTH_MAX));
    }
    return tally.report(registeredPerSecond, outagesMs);
  } finally {
    await api.destroy();
  }
}

/** What is due when, and what has come. The number of a reminder tells its actor and its name. */
class Tally {
  readonly dueMs: Float64Array;
  /** From when on it is late: when it is due, or when its registration was acknowledged after that. */
  readonly fromMs: Float64Array;
  readonly #firings: Uint16Array;
  readonly #firstMs: Float64Array;
  fired = 0;
  first = 0;
  #early = 0;

  constructor(count: number) {
    this.dueMs = new Float64Array(count);
    this.fromMs = new Float64Array(count);
    this.#firings = new Uint16Array(count);
    this.#firstMs = new Float64Array(count);
  }

  count(actor: string, name: string): void {
    const number = Number(actor) * PER_ACTOR + Number(name);
    const due = this.dueMs[number];
    if (due === undefined) {
      return;
    }
    const nowMs = Date.now();
    this.fired += 1;
    this.#firings[number] = (this.#firings[number] ?? 0) + 1;
    if (this.#firings[number] === 1) {
      this.first += 1;
      this.#firstMs[number] = nowMs;
    }
    if (nowMs < due) {
      this.#early += 1;
    }
  }

  report(registeredPerSecond: number, outagesMs: readonly number[]): DueRemindersReport {
    const latenesses = this.#firstMs
      .map((firstMs, number) => Math.max(0, firstMs - (this.fromMs[number] ?? 0)))
      .filter((_, number) => (this.#firings[number] ?? 0) > 0)
      .toSorted();
    const at = (part: number): number => latenesses[Math.max(0, Math.ceil(latenesses.length * part) - 1)] ?? Number.NaN;
    return {
      registered: this.dueMs.length,
      registeredPerSecond,
      fired: this.fired,
      missing: this.dueMs.length - this.first,
      early: this.#early,
      repeated: this.fired - this.first,
      lateness: { p50: at(0.5), p99: at(0.99), max: at(1) },
      outagesMs,
    };
  }
}

/** @returns how many a second */
async function register(api: Pool, plan: DueRemindersPlan, tally: Tally): Promise<number> {
  const { reminders, spreadMs, onProgress } = plan;
  const far = new Date(Date.now() + 86_400_000).toISOString();
  const probe = (): Promise<number> => timed(() => each(PROBES, (number) => post(api, `probe-${number}`, "x", far)));
  await probe();
  const probeMs = await probe();
  const leadMs = LEAD_MS_MIN + Math.min(LEAD_MS_MAX, (probeMs / PROBES) * reminders * LEAD_FACTOR);
  const beginMs = Math.ceil((Date.now() + leadMs) / 1_000) * 1_000;
  onProgress?.(`due from ${new Date(beginMs).toISOString()} on`);
  const tookMs = await timed(() =>
    each(reminders, async (number) => {
      // Neighbours in time are of different actors.
      const due = beginMs + Math.floor((((number * 7_919) % reminders) * spreadMs) / reminders);
      tally.dueMs[number] = due;
      tally.fromMs[number] = Infinity;
      await post(api, Math.floor(number / PER_ACTOR), String(number % PER_ACTOR), new Date(due).toISOString());
      tally.fromMs[number] = Math.max(due, Date.now());
    }),
  );
  onProgress?.(`${reminders} registered in ${(tookMs / 1_000).toFixed(1)} s`);
  return (reminders * 1_000) / tookMs;
}

async function killWhileDue(cluster: ReminderCluster, plan: DueRemindersPlan, tally: Tally): Promise<number[]> {
  const random = seededRandom(plan.seed);
  const firstDueMs = tally.dueMs.reduce((least, due) => Math.min(least, due), Infinity);
  const beginMs = Math.max(firstDueMs, Date.now());
  const moments = Array.from({ length: plan.kills }, () => random() * Math.max(plan.spreadMs, 1_000)).toSorted(
    (a, b) => a - b,
  );
  const outages: number[] = [];
  for (const moment of moments) {
    await pause(Math.max(0, beginMs + moment - Date.now()));
    const firedBefore = tally.fired;
    outages.push(await cluster.killScheduler());
    plan.onProgress?.(`killed with ${firedBefore} fired, back after ${outages.at(-1)?.toFixed(0)} ms`);
  }
  return outages;
}

/** Waits until all have come, and for repetitions after that. */
async function complete(tally: Tally, { reminders }: DueRemindersPlan): Promise<void> {
  await until("all reminders have fired", () => tally.first === reminders, COMPLETE_MS_MAX).catch(() => undefined);
  const lastDueMs = tally.dueMs.reduce((most, due) => Math.max(most, due), 0);
  await pause(Math.max(0, lastDueMs - Date.now()));
  let quietSinceMs = Date.now();
  for (let before = tally.fired; Date.now() - quietSinceMs < QUIET_MS; before = tally.fired) {
    await pause(POLL_MS);
    if (tally.fired !== before) {
      quietSinceMs = Date.now();
    }
  }
}

async function post(api: Pool, actor: number | string, name: string, dueTime: string): Promise<void> {
  const body = JSON.stringify({ dueTime, data: "x".repeat(BODY_BYTES) });
  const path = `/v1.0/actors/load/${actor}/reminders/${name}`;
  for (;;) {
    const answer = await api.request({ method: "POST", path, body, headers: { "content-type": "application/json" } });
    const text = await answer.body.text();
    if (answer.statusCode === 204) {
      return;
    }
    // The sidecar may be ready before its actors are.
    if (answer.statusCode < 500) {
      throw new Error(`${path} was answered ${answer.statusCode} ${text}`);
    }
    await pause(POLL_MS);
  }
}

/** Does something for every number below `count`, as many at a time as there are connections. */
async function each(count: number, work: (number: number) => Promise<void>): Promise<void> {
  let next = 0;
  await Promise.all(
    Array.from({ length: CONNECTIONS }, async () => {
      while (next < count) {
        const number = next;
        next += 1;
        await work(number);
      }
    }),
  );
}

async function timed(work: () => Promise<void>): Promise<number> {
  const startMs = performance.now();
  await work();
  return performance.now() - startMs;
}
