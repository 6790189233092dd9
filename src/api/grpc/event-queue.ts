/** So many events that were read are kept before the list is cut. */
const TRIM_EVENTS = 64;

/**
 * Events on their way from a subscription into a stream's one writer. The block limits how many are unanswered, and so
 * how many can wait here.
 */
export class EventQueue<T> {
  readonly #events: T[] = [];
  #next = 0;
  #end: { readonly error: Error | undefined } | undefined;
  #wake: (() => void) | undefined;

  push(event: T): void {
    if (this.#end === undefined) {
      this.#events.push(event);
      this.#wakeReader();
    }
  }

  /** Without an error the reader's loop just ends. What still waits is not read any more. */
  end(error?: Error): void {
    this.#end ??= { error };
    this.#wakeReader();
  }

  /** For one reader. @throws the error that the queue ended with */
  async *[Symbol.asyncIterator](): AsyncGenerator<T, void> {
    for (;;) {
      const end = this.#end;
      if (end !== undefined) {
        if (end.error !== undefined) {
          throw end.error;
        }
        return;
      }
      const event = this.#shift();
      if (event === undefined) {
        await new Promise<void>((resolve) => (this.#wake = resolve));
      } else {
        yield event;
      }
    }
  }

  #shift(): T | undefined {
    const event = this.#events[this.#next];
    if (event === undefined) {
      return undefined;
    }
    this.#next += 1;
    if (this.#next >= TRIM_EVENTS && this.#next * 2 >= this.#events.length) {
      this.#events.splice(0, this.#next);
      this.#next = 0;
    }
    return event;
  }

  #wakeReader(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }
}
