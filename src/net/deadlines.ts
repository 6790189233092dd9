/** Width of a bucket in milliseconds: a deadline fires at most about this much late, never early. */
const BUCKET_MS = 8;

/** Longest countdown in milliseconds; a longer one (gRPC allows 99,999,999 hours) is cut to it. About 24 days. */
const COUNTDOWN_MS_MAX = 2 ** 31 - 1 - 2 * BUCKET_MS;

/** Something with a deadline. The wheel keeps its links in the object itself, so that arming it allocates nothing. */
export abstract class Deadline {
  bucket: Bucket | undefined = undefined;
  next: Deadline | undefined = undefined;
  previous: Deadline | undefined = undefined;

  /** Called once when the time has passed, unless `disarm` came first. */
  abstract onDeadline(): void;
}

/** Deadlines that fall into the same few milliseconds and share a timer. */
export interface Bucket {
  readonly slot: number;
  first: Deadline | undefined;
  timer: NodeJS.Timeout | undefined;
}

/**
 * Timers for many calls at once: one `setTimeout` per eight milliseconds in use instead of one per call. The timers do not
 * keep the process alive.
 */
export class DeadlineWheel {
  private readonly buckets = new Map<number, Bucket>();

  /** Starts the countdown of `ms` milliseconds. @throws Error when it runs already */
  arm(one: Deadline, ms: number): void {
    if (one.bucket !== undefined) throw new Error("the deadline is armed already");
    const now = performance.now();
    const slot = Math.floor((now + Math.min(ms, COUNTDOWN_MS_MAX)) / BUCKET_MS) + 1;
    const bucket = this.buckets.get(slot) ?? this.open(slot, now);
    one.bucket = bucket;
    one.next = bucket.first;
    if (bucket.first !== undefined) bucket.first.previous = one;
    bucket.first = one;
  }

  /** Stops the countdown, if one runs. */
  disarm(one: Deadline): void {
    const bucket = one.bucket;
    if (bucket === undefined) return;
    if (one.previous === undefined) bucket.first = one.next;
    else one.previous.next = one.next;
    if (one.next !== undefined) one.next.previous = one.previous;
    one.bucket = undefined;
    one.next = undefined;
    one.previous = undefined;
    if (bucket.first !== undefined) return;
    clearTimeout(bucket.timer);
    this.buckets.delete(bucket.slot);
  }

  private open(slot: number, now: number): Bucket {
    const bucket: Bucket = { slot, first: undefined, timer: undefined };
    bucket.timer = setTimeout(fire, Math.ceil(slot * BUCKET_MS - now), this, bucket).unref();
    this.buckets.set(slot, bucket);
    return bucket;
  }

  /** Ends what is in the bucket. */
  fire(bucket: Bucket): void {
    if (this.buckets.get(bucket.slot) === bucket) this.buckets.delete(bucket.slot);
    for (let one = bucket.first; one !== undefined; one = bucket.first) {
      bucket.first = one.next;
      if (one.next !== undefined) one.next.previous = undefined;
      one.bucket = undefined;
      one.next = undefined;
      one.onDeadline();
    }
  }
}

function fire(wheel: DeadlineWheel, bucket: Bucket): void {
  wheel.fire(bucket);
}
