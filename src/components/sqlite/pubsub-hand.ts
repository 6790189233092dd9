/** Messages in one sidecar's hands per handler: one at work and one that waits for it. */
const HELD_PER_HANDLER = 2;

/** A message in hand. */
export interface Held {
  readonly id: number;
  readonly attempts: number;
  /** Until when it is ours, and the proof of it: settling and renewing name it. */
  dueMs: number;
  /** When its handler was started, on the clock that never goes back. */
  startedMs: number;
  /** `settled`: handed back though its handler is still at work. `lost`: somebody else's, or gone. */
  state: "ours" | "settled" | "lost";
}

/** What one consumer holds: messages that wait for a handler, in the order of publishing, and those at work. */
export class Hand {
  readonly #handlersMax: number;
  readonly #waiting: Held[] = [];
  readonly #running = new Set<Held>();
  /** Handlers at work on a message that is not ours any more. */
  #strays = 0;

  constructor(handlersMax: number) {
    this.#handlersMax = handlersMax;
  }

  /** Handlers at work. */
  get running(): number {
    return this.#running.size;
  }

  /** How many more may be taken; below 0 when handlers have been given up meanwhile, which do no more work. */
  get room(): number {
    const able = this.#handlersMax - this.#strays;
    return able * HELD_PER_HANDLER - (this.#running.size - this.#strays) - this.#waiting.length;
  }

  /** The message whose handler is to be started next; undefined when none waits or all handlers are at work. */
  get next(): Held | undefined {
    return this.#running.size < this.#handlersMax ? this.#waiting[0] : undefined;
  }

  /** When the first message stops being ours; Infinity when none is. */
  get firstDueMs(): number {
    let firstMs = Infinity;
    for (const held of this.#ours()) {
      firstMs = Math.min(firstMs, held.dueMs);
    }
    return firstMs;
  }

  put(messages: readonly Held[]): void {
    this.#waiting.push(...messages);
    this.#waiting.sort((one, two) => one.id - two.id);
  }

  /** Takes `next` out of those that wait. */
  removeNext(): void {
    this.#waiting.shift();
  }

  /** The handler of a message that was `next` starts. */
  start(held: Held, nowMs: number): void {
    held.startedMs = nowMs;
    this.#running.add(held);
  }

  /** A handler has come back. @returns whether its message still is ours, so that the outcome counts */
  finish(held: Held): boolean {
    this.#running.delete(held);
    if (held.state !== "ours") {
      this.#strays -= 1;
      return false;
    }
    return true;
  }

  /** Messages that are ours until `dueMs` at most. */
  dueBy(dueMs: number): Held[] {
    return [...this.#ours()].filter((held) => held.dueMs <= dueMs);
  }

  /** These belong to somebody else: none of them is started or settled any more. */
  lose(messages: readonly Held[]): void {
    for (const held of messages) {
      if (held.state === "ours" && this.#running.has(held)) {
        this.#strays += 1;
      }
      held.state = "lost";
    }
    this.#keepWaiting((held) => held.state === "ours");
  }

  /** Gives up on handlers that began before `startedMs`; what they come to counts no more. @returns their messages */
  giveUp(startedMs: number): Held[] {
    const late = [...this.#running].filter((held) => held.state === "ours" && held.startedMs <= startedMs);
    for (const held of late) {
      held.state = "settled";
      this.#strays += 1;
    }
    return late;
  }

  /** Takes out what waits, or the last of it when there is more than the handlers able to work can hold. */
  removeWaiting(all: boolean): Held[] {
    const kept = all ? 0 : Math.max(0, this.#waiting.length + Math.min(0, this.room));
    return this.#waiting.splice(kept);
  }

  *#ours(): Generator<Held> {
    yield* this.#waiting;
    for (const held of this.#running) {
      if (held.state === "ours") {
        yield held;
      }
    }
  }

  #keepWaiting(keep: (held: Held) => boolean): void {
    this.#waiting.splice(0, this.#waiting.length, ...this.#waiting.filter(keep));
  }
}
