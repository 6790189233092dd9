/** One call of a client, in milliseconds of one clock. */
export interface CounterCall {
  readonly actor: number;
  /** Counts up for each actor: an operation is sent once. */
  readonly op: number;
  readonly startMs: number;
  readonly endMs: number;
  /** Which host answered that it has counted; undefined: there was an error. */
  readonly host: string | undefined;
  readonly error: string | undefined;
}

/** What was done to a host, until it was ready again. */
export interface Fault {
  readonly host: string;
  readonly kind: "kill" | "kill sidecar" | "freeze both" | "freeze sidecar" | "restart";
  readonly startMs: number;
  endMs: number;
}

export interface Percentiles {
  readonly count: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

export interface Verdict {
  readonly calls: number;
  readonly acknowledged: number;
  readonly failed: number;
  /** Acknowledged operations that no counter has. */
  readonly lost: readonly string[];
  /** Operations that a counter has more than once. */
  readonly doubled: readonly string[];
  /** Operations that a counter has though nobody sent them. */
  readonly unknown: readonly string[];
  /** Errors of actors that stayed where they were, at a host to which nothing was done. */
  readonly unmovedErrors: readonly CounterCall[];
  readonly unmovedLatency: Percentiles;
  readonly latency: Percentiles;
  /** From the fault until the first answer of each actor that was at the host, by kind of fault. */
  readonly recovery: ReadonlyMap<Fault["kind"], Percentiles>;
}

/** After a fault is over, its host takes its actors back; calls may fail as they do while it begins. */
const SETTLE_MS = 5_000;

/**
 * Judges a history. `counted` is what the counters hold at the end, by actor; `ranking` has the hosts that own an actor in
 * turn when those before are away. An actor has not moved when the answers before and after a call came from one host, and
 * nothing was done between them to that host or to one that ranks before it.
 */
export function judge(
  calls: readonly CounterCall[],
  faults: readonly Fault[],
  counted: readonly (readonly number[])[],
  ranking: readonly (readonly string[])[],
): Verdict {
  const byActor = counted.map((_, actor) => calls.filter((call) => call.actor === actor));
  const wrong = counted.map((ops, actor) => compare(ops, byActor[actor] ?? [], actor));
  const unmoved = byActor.flatMap((history, actor) =>
    history.filter((_, index) => !mayHaveMoved(history, index, faults, ranking[actor] ?? [])),
  );
  const durations = (some: readonly CounterCall[]): Percentiles =>
    percentiles(some.filter(({ host }) => host !== undefined).map(({ startMs, endMs }) => endMs - startMs));
  return {
    calls: calls.length,
    acknowledged: calls.filter(({ host }) => host !== undefined).length,
    failed: calls.filter(({ host }) => host === undefined).length,
    lost: wrong.flatMap(({ lost }) => lost),
    doubled: wrong.flatMap(({ doubled }) => doubled),
    unknown: wrong.flatMap(({ unknown }) => unknown),
    unmovedErrors: unmoved.filter(({ host }) => host === undefined),
    unmovedLatency: durations(unmoved),
    latency: durations(calls),
    recovery: recoveries(byActor, faults),
  };
}

export function percentiles(values: readonly number[]): Percentiles {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
  return { count: sorted.length, p50: at(0.5), p99: at(0.99), max: at(1) };
}

function compare(ops: readonly number[], history: readonly CounterCall[], actor: number) {
  const times = new Map<number, number>();
  for (const op of ops) {
    times.set(op, (times.get(op) ?? 0) + 1);
  }
  const sent = new Set(history.map(({ op }) => op));
  const named = (some: Iterable<number>): string[] => [...some].map((op) => `actor ${actor}, operation ${op}`);
  return {
    lost: named(history.filter(({ host, op }) => host !== undefined && !times.has(op)).map(({ op }) => op)),
    doubled: named([...times].filter(([, count]) => count > 1).map(([op]) => op)),
    unknown: named([...times.keys()].filter((op) => !sent.has(op))),
  };
}

function mayHaveMoved(
  history: readonly CounterCall[],
  index: number,
  faults: readonly Fault[],
  ranking: readonly string[],
): boolean {
  let earlier = index - 1;
  while (earlier >= 0 && history[earlier]?.host === undefined) {
    earlier -= 1;
  }
  let later = index;
  while (later < history.length && history[later]?.host === undefined) {
    later += 1;
  }
  const before = history[earlier];
  const after = history[later];
  if (before?.host === undefined || before.host !== after?.host) {
    return true;
  }
  const owners = ranking.slice(0, ranking.indexOf(before.host) + 1);
  return faults.some(
    ({ host, startMs, endMs }) =>
      owners.includes(host) && startMs <= after.endMs && endMs + SETTLE_MS >= before.startMs,
  );
}

function recoveries(
  byActor: readonly (readonly CounterCall[])[],
  faults: readonly Fault[],
): ReadonlyMap<Fault["kind"], Percentiles> {
  const times = new Map<Fault["kind"], number[]>();
  for (const { host, kind, startMs } of faults) {
    const known = times.get(kind) ?? [];
    times.set(kind, known);
    for (const history of byActor) {
      const last = history.findLast((call) => call.host !== undefined && call.endMs <= startMs);
      const next = history.find((call) => call.host !== undefined && call.endMs > startMs);
      if (last?.host === host && next !== undefined) {
        known.push(next.endMs - startMs);
      }
    }
  }
  return new Map([...times].map(([kind, values]) => [kind, percentiles(values)]));
}
