import type { Logger } from "../kit/logger.ts";
import { systemRandom } from "../kit/random.ts";
import { silentLogger } from "../kit/silent-logger.ts";
import { VirtualClock } from "../kit/virtual-clock.fixture.ts";
import type { ResiliencyDocument } from "./document.ts";
import type { ResiliencyObserver } from "./observer.ts";
import { createResiliency } from "./resiliency.ts";
import type { Resiliency } from "./types.ts";

/** A document with nothing in it but what a test says; maps are written as objects, fields that are left out are absent. */
export function document(more: {
  readonly name?: string;
  readonly namespace?: string;
  readonly timeouts?: Readonly<Record<string, string>>;
  readonly retries?: Readonly<Record<string, object>>;
  readonly circuitBreakers?: Readonly<Record<string, object>>;
  readonly apps?: Readonly<Record<string, object>>;
  readonly actors?: Readonly<Record<string, object>>;
  readonly components?: Readonly<Record<string, object>>;
}): ResiliencyDocument {
  const map = (fields: Readonly<Record<string, unknown>> = {}): ReadonlyMap<string, never> =>
    new Map(Object.entries(fields) as [string, never][]);
  return {
    name: more.name ?? "myresiliency",
    namespace: more.namespace ?? "",
    timeouts: map(more.timeouts),
    retries: map(more.retries),
    circuitBreakers: map(more.circuitBreakers),
    targets: { apps: map(more.apps), actors: map(more.actors), components: map(more.components) },
  };
}

/** Resiliency on virtual time, what it logs (`info: text`) and what it counts (`activated timeout app_a`). */
export interface TestResiliency {
  readonly resiliency: Resiliency;
  readonly clock: VirtualClock;
  readonly lines: string[];
  readonly counts: string[];
}

export async function setUpResiliency(...documents: readonly ResiliencyDocument[]): Promise<TestResiliency> {
  const clock = new VirtualClock();
  const lines: string[] = [];
  const counts: string[] = [];
  const logger: Logger = {
    ...silentLogger,
    enabled: () => true,
    debug: (line) => void lines.push(`debug: ${line}`),
    info: (line) => void lines.push(`info: ${line}`),
    warn: (line) => void lines.push(`warn: ${line}`),
    error: (line) => void lines.push(`error: ${line}`),
  };
  const observer: ResiliencyObserver = {
    loaded: (name, namespace) => void counts.push(`loaded ${name} ${namespace}`),
    target: (_name, _namespace, direction, target) => ({
      executed: (policy, state) => void counts.push(`executed ${policy} ${direction} ${target} ${state ?? ""}`.trim()),
      activated: (policy, state) =>
        void counts.push(`activated ${policy} ${direction} ${target} ${state ?? ""}`.trim()),
    }),
  };
  const random = { ...systemRandom, next: () => 0.5 };
  return { resiliency: await createResiliency({ documents, clock, random, logger, observer }), clock, lines, counts };
}

/** Lets everything happen that waits for nothing but promises. */
export async function settle(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

/** Moves time on by `stepMs` until the promise has settled, and gives it back. */
export async function drive<T>(clock: VirtualClock, promise: Promise<T>, stepMs = 0): Promise<T> {
  let done = false;
  const end = (): void => void (done = true);
  promise.then(end, end);
  for (let steps = 0; !done && steps < DRIVE_STEPS_MAX; steps++) {
    await settle();
    clock.advance(stepMs);
  }
  return promise;
}

const DRIVE_STEPS_MAX = 100;
