/** Which of how many schedulers this one is, by the order of their addresses. */
export interface GateShare {
  readonly index: number;
  readonly total: number;
}

/**
 * A scheduler's share of a limit, as Dapr divides it: evenly, what is left over to the first ones; but at least one each, so
 * that a limit below the number of schedulers is exceeded rather than some of the triggers never sent.
 */
export function shareOf(limit: number, { index, total }: GateShare): number {
  if (total <= 1) {
    return limit;
  }
  const base = Math.floor(limit / total);
  return base < 1 ? 1 : base + (index < limit % total ? 1 : 0);
}

/** A concurrency limit of one namespace. */
export class Gate {
  /** The actor's type, with `:` and a concurrency key behind it where the limit has a name. */
  readonly key: string;
  /** The limit last asked for, for all schedulers together. */
  asked: number;
  /** This scheduler's share of it. */
  limit: number;
  /** Triggers under way. */
  current = 0;
  /** Triggers that wait, and have this as the first of their gates. */
  waiting = 0;
  /** Streams that ask for it; without any it is no limit. */
  references = 0;

  constructor(key: string, asked: number, share: GateShare) {
    this.key = key;
    this.asked = asked;
    this.limit = shareOf(asked, share);
  }

  get hasRoom(): boolean {
    return this.current < this.limit;
  }
}
