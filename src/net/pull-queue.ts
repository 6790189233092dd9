/** Who fills a queue: told when there is room again and when the reader has given up. */
export interface QueueSource {
  /** The reader has caught up after `push` answered false. */
  onRoom(): void;
  /** The reader called `return()` before the end; nothing that is pushed afterwards is kept. */
  onAbandoned(): void;
}

interface Waiter<T> {
  resolve(result: IteratorResult<T>): void;
  reject(error: Error): void;
}

const NO_FAILURE = new Error("no failure");
const DONE = Object.freeze({ done: true as const, value: undefined });

/**
 * The bounded middle between a pushing connection and a pulling reader. The bound is advice to the source: it stops at the
 * first `push` that answers false, so that what is held is the bound plus what one chunk carried.
 */
export class PullQueue<T> implements AsyncIterableIterator<T> {
  private items: T[] = [];
  private sizes: number[] = [];
  private first = 0;
  private size = 0;
  private state: "open" | "ended" | "failed" | "abandoned" = "open";
  private failure: Error = NO_FAILURE;
  private full = false;
  private waiters: Waiter<T>[] = [];
  private readonly source: QueueSource;
  private readonly sizeMax: number;

  /** @param sizeMax how much may wait before the source is asked to stop, in the unit that `push` is given */
  constructor(source: QueueSource, sizeMax: number) {
    this.source = source;
    this.sizeMax = sizeMax;
  }

  /** Whether items may still be pushed. */
  get open(): boolean {
    return this.state === "open";
  }

  /** Whether the source has ended and everything has been read. */
  get drained(): boolean {
    return this.state === "ended" && this.first === this.items.length;
  }

  /** Adds an item of a size. @returns false when the source should stop until `onRoom` */
  push(item: T, size: number): boolean {
    if (this.state !== "open") return true;
    const waiter = this.waiters.shift();
    if (waiter !== undefined) {
      waiter.resolve({ done: false, value: item });
      return true;
    }
    this.items.push(item);
    this.sizes.push(size);
    this.size += size;
    if (this.size < this.sizeMax) return true;
    this.full = true;
    return false;
  }

  /** No more items; those that wait are still read. */
  end(): void {
    if (this.state !== "open") return;
    this.state = "ended";
    for (const waiter of this.waiters.splice(0)) waiter.resolve(DONE);
  }

  /** Items that wait are still read, then the error is thrown once. */
  fail(error: Error): void {
    if (this.state !== "open") return;
    const waiter = this.waiters.shift();
    if (waiter === undefined) {
      this.state = "failed";
      this.failure = error;
      return;
    }
    this.state = "ended";
    waiter.reject(error);
    for (const other of this.waiters.splice(0)) other.resolve(DONE);
  }

  next(): Promise<IteratorResult<T>> {
    if (this.first < this.items.length) return Promise.resolve({ done: false, value: this.take() });
    if (this.state === "open") {
      return new Promise((resolve, reject) => {
        this.waiters.push({ resolve, reject });
      });
    }
    if (this.state === "failed") {
      this.state = "ended";
      return Promise.reject(this.failure);
    }
    return Promise.resolve(DONE);
  }

  return(): Promise<IteratorResult<T>> {
    const unread = this.state === "open" || this.first < this.items.length;
    this.state = "abandoned";
    this.items = [];
    this.sizes = [];
    this.first = 0;
    for (const waiter of this.waiters.splice(0)) waiter.resolve(DONE);
    if (unread) this.source.onAbandoned();
    return Promise.resolve(DONE);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  private take(): T {
    const item = this.items[this.first] as T;
    this.size -= this.sizes[this.first] as number;
    this.first += 1;
    if (this.first === this.items.length) {
      this.items = [];
      this.sizes = [];
      this.first = 0;
    } else if (this.first > 1024) {
      this.items = this.items.slice(this.first);
      this.sizes = this.sizes.slice(this.first);
      this.first = 0;
    }
    if (this.full && this.size * 2 < this.sizeMax) {
      this.full = false;
      if (this.state === "open") this.source.onRoom();
    }
    return item;
  }
}
