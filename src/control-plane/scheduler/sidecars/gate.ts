/** A concurrency limit of one namespace. */
export class Gate {
  /** The actor's type, with `:` and a concurrency key behind it where the limit has a name. */
  readonly key: string;
  /** The limit last asked for. */
  limit: number;
  /** Triggers under way. */
  current = 0;
  /** Triggers that wait, and have this as the first of their gates. */
  waiting = 0;
  /** Streams that ask for it; without any it is no limit. */
  references = 0;

  constructor(key: string, limit: number) {
    this.key = key;
    this.limit = limit;
  }

  get hasRoom(): boolean {
    return this.current < this.limit;
  }
}
