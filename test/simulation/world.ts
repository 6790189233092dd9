import { Trace } from "./trace.ts";

/** Something that will happen. */
export interface Scheduled {
  cancel(): void;
}

interface Happening {
  readonly atMs: number;
  readonly number: number;
  readonly label: string;
  readonly run: () => void;
  isCancelled: boolean;
}

/**
 * Time and what happens in it, one thing after the other. Between two of them everything that only waits for promises runs
 * to its end, so that the order of all code is the order of the events: nothing hangs on the machine that simulates.
 */
export class World {
  readonly trace = new Trace();
  readonly #heap: Happening[] = [];
  #nowMs = 0;
  #number = 0;
  #happened = 0;

  /** Milliseconds since the beginning, as nobody in the world knows them. */
  get nowMs(): number {
    return this.#nowMs;
  }

  /** Things that have happened. */
  get happened(): number {
    return this.#happened;
  }

  after(delayMs: number, label: string, run: () => void): Scheduled {
    this.#number += 1;
    const one: Happening = {
      atMs: this.#nowMs + Math.max(0, delayMs),
      number: this.#number,
      label,
      run,
      isCancelled: false,
    };
    this.#push(one);
    return { cancel: () => void (one.isCancelled = true) };
  }

  note(text: string): void {
    this.trace.add(this.#nowMs, text);
  }

  /** Lets time pass until then. @param look runs after everything that happens; what it throws ends the run */
  async run(untilMs: number, look: () => void): Promise<void> {
    for (let next = this.#heap[0]; next !== undefined && next.atMs <= untilMs; next = this.#heap[0]) {
      this.#pop();
      if (next.isCancelled) {
        continue;
      }
      this.#nowMs = next.atMs;
      this.#happened += 1;
      this.trace.add(next.atMs, next.label);
      next.run();
      await settled();
      look();
    }
    this.#nowMs = Math.max(this.#nowMs, untilMs);
  }

  #push(one: Happening): void {
    const heap = this.#heap;
    let at = heap.push(one) - 1;
    while (at > 0) {
      const above = (at - 1) >> 1;
      const parent = heap[above] as Happening;
      if (!before(one, parent)) {
        break;
      }
      heap[at] = parent;
      at = above;
    }
    heap[at] = one;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) {
      return;
    }
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) {
        break;
      }
      if (child + 1 < heap.length && before(heap[child + 1] as Happening, heap[child] as Happening)) {
        child += 1;
      }
      if (!before(heap[child] as Happening, last)) {
        break;
      }
      heap[at] = heap[child] as Happening;
      at = child;
    }
    heap[at] = last;
  }
}

function before(one: Happening, other: Happening): boolean {
  return one.atMs === other.atMs ? one.number < other.number : one.atMs < other.atMs;
}

/** Node runs these when no promise has anything left to do, and lets no timer or socket in before. */
function settled(): Promise<void> {
  return new Promise((resolve) => process.nextTick(resolve));
}
