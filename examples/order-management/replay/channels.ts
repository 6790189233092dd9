import { setTimeout as delay } from "node:timers/promises";

/** What became of the tasks. */
export interface Performed {
  readonly performed: number;
  /** Why tasks could not be performed, by their names. */
  readonly failures: ReadonlyMap<string, string>;
  readonly elapsedMs: number;
}

export interface ChannelPlan<Task> {
  readonly tasks: readonly Task[];
  readonly nameOf: (task: Task) => string;
  readonly perform: (task: Task) => Promise<void>;
  /** How many tasks are under way at a time. */
  readonly channels: number;
  /** No more tasks are begun per second, from the first on; undefined: as many as the channels take. */
  readonly ratePerSecond?: number | undefined;
  /** Once aborted, no channel takes another task. */
  readonly signal: AbortSignal;
  /** Called after each task. */
  readonly onProgress: (done: number) => void;
}

/** Performs all tasks, each once: every channel takes the next one when it is done with its last. Never throws. */
export async function performAll<Task>(plan: ChannelPlan<Task>): Promise<Performed> {
  const { tasks, nameOf, perform, channels, ratePerSecond, signal, onProgress } = plan;
  const failures = new Map<string, string>();
  const queue = tasks.entries();
  const startedMs = performance.now();
  let done = 0;

  const channel = async (): Promise<void> => {
    for (const [index, task] of queue) {
      if (ratePerSecond !== undefined) await pause(startedMs + (index * 1_000) / ratePerSecond, signal);
      if (signal.aborted) return;
      try {
        await perform(task);
      } catch (error) {
        failures.set(nameOf(task), error instanceof Error ? error.message : String(error));
      }
      onProgress(++done);
    }
  };
  await Promise.all(Array.from({ length: channels }, channel));
  return { performed: done - failures.size, failures, elapsedMs: performance.now() - startedMs };
}

async function pause(untilMs: number, signal: AbortSignal): Promise<void> {
  await delay(Math.max(0, untilMs - performance.now()), undefined, { signal }).catch(() => undefined);
}
