/** Runs tasks in the order in which they come, so many at a time. */
export class HandlerSlots {
  readonly #waiting: (() => Promise<void>)[] = [];
  #free: number;

  constructor(slots: number) {
    this.#free = slots;
  }

  /** `task` must not reject. */
  run(task: () => Promise<void>): void {
    if (this.#free > 0) {
      this.#free -= 1;
      void this.#work(task);
    } else {
      this.#waiting.push(task);
    }
  }

  async #work(first: () => Promise<void>): Promise<void> {
    for (let task: (() => Promise<void>) | undefined = first; task !== undefined; task = this.#waiting.shift()) {
      await task();
    }
    this.#free += 1;
  }
}
