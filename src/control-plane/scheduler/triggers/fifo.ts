/** Items at the front that have been taken before the array is cut. */
const TAKEN_MAX = 1_024;

/** First in, first out, without moving what is behind at every turn. */
export class Fifo<T> {
  #items: T[] = [];
  #taken = 0;

  get size(): number {
    return this.#items.length - this.#taken;
  }

  get head(): T | undefined {
    return this.#items[this.#taken];
  }

  push(item: T): void {
    this.#items.push(item);
  }

  shift(): T | undefined {
    if (this.size === 0) {
      return undefined;
    }
    const item = this.#items[this.#taken];
    this.#taken += 1;
    if (this.size === 0) {
      this.#items = [];
      this.#taken = 0;
    } else if (this.#taken > TAKEN_MAX && this.#taken * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#taken);
      this.#taken = 0;
    }
    return item;
  }

  takeAll(): readonly T[] {
    const items = this.#taken === 0 ? this.#items : this.#items.slice(this.#taken);
    this.#items = [];
    this.#taken = 0;
    return items;
  }
}
