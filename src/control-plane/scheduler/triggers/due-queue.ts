/** What the queue holds; it keeps the place itself. */
export interface Queued {
  dueMs: number;
  /** Among those due at the same time the lowest goes first. */
  readonly revision: number;
  /** Where it stands in the queue; -1 outside of it. */
  place: number;
}

/** A binary heap by due time: the earliest is the head, and any can be taken out. */
export class DueQueue<T extends Queued> {
  readonly #items: T[] = [];

  get size(): number {
    return this.#items.length;
  }

  get head(): T | undefined {
    return this.#items[0];
  }

  add(item: T): void {
    item.place = this.#items.length;
    this.#items.push(item);
    this.#up(item);
  }

  /** Nothing happens when it is not in the queue. */
  remove(item: T): void {
    const at = item.place;
    if (at === -1) {
      return;
    }
    const last = this.#items.pop() as T;
    item.place = -1;
    if (last !== item) {
      this.#set(last, at);
      this.#up(last);
      this.#down(last);
    }
  }

  #up(item: T): void {
    while (item.place > 0) {
      const parent = this.#items[(item.place - 1) >> 1] as T;
      if (!before(item, parent)) {
        return;
      }
      this.#swap(parent, item);
    }
  }

  #down(item: T): void {
    for (;;) {
      const left = this.#items[2 * item.place + 1];
      const right = this.#items[2 * item.place + 2];
      const smaller = right !== undefined && left !== undefined && before(right, left) ? right : left;
      if (smaller === undefined || !before(smaller, item)) {
        return;
      }
      this.#swap(item, smaller);
    }
  }

  /** `below` takes the place of `above`. */
  #swap(above: T, below: T): void {
    const { place } = above;
    this.#set(above, below.place);
    this.#set(below, place);
  }

  #set(item: T, place: number): void {
    item.place = place;
    this.#items[place] = item;
  }
}

function before(one: Queued, other: Queued): boolean {
  return one.dueMs === other.dueMs ? one.revision < other.revision : one.dueMs < other.dueMs;
}
