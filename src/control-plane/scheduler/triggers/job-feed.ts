import { owns, type Partition, partitionIdOf } from "../members/partition.ts";
import { PAGE_KEYS } from "../limits.ts";
import type { Follower, KeyChange, KeyRange, KeyStore, KeyValue } from "../store/key-store.ts";
import { COUNTERS, JOBS, rangeAfter } from "../store/keys.ts";
import type { JobEntry } from "./job-entry.ts";

/** Who is told which jobs there are. */
export interface JobSink {
  /** All jobs are about to be told (again). */
  reading(): void;
  /** Whether this version of a job is there already. */
  has(name: string, revision: number): boolean;
  /** Takes a job in the place of any earlier version. @returns undefined when it cannot be read */
  admit(name: string, kv: KeyValue): JobEntry | undefined;
  /** A job's counter: it can be triggered. */
  begin(entry: JobEntry, counter: KeyValue | undefined): void;
  /** Its counter could not be read. */
  unreadable(entry: JobEntry, error: unknown): void;
  remove(name: string): void;
  /** What has not been told since `reading` is gone. */
  removeUnread(): void;
}

const DONE = Promise.resolve();

/** Tells an engine the jobs of one partition, from the keys of the store. */
export class JobFeed implements Follower {
  readonly #store: KeyStore;
  readonly #partition: Partition;
  readonly #sink: JobSink;

  constructor(store: KeyStore, partition: Partition, sink: JobSink) {
    this.#store = store;
    this.#partition = partition;
    this.#sink = sink;
  }

  begin(): void {
    this.#sink.reading();
  }

  /** Counters are read with the page, not one by one. */
  async page(kvs: readonly KeyValue[]): Promise<void> {
    const admitted: JobEntry[] = [];
    for (const kv of kvs) {
      const name = nameOf(kv.key);
      if (this.#isOwn(kv) && !this.#sink.has(name, kv.modRevision)) {
        const entry = this.#sink.admit(name, kv);
        if (entry !== undefined) {
          admitted.push(entry);
        }
      }
    }
    const [first, last] = [admitted[0], admitted.at(-1)];
    if (first === undefined || last === undefined) {
      return;
    }
    const counters = await this.#counters(first.name, last.name);
    for (const entry of admitted) {
      if (entry.stage !== "gone") {
        this.#sink.begin(entry, counters.get(COUNTERS + entry.name));
      }
    }
  }

  synced(): void {
    this.#sink.removeUnread();
  }

  changed(changes: readonly KeyChange[]): Promise<void> {
    const begun: Promise<void>[] = [];
    for (const change of changes) {
      const name = nameOf(change.kind === "put" ? change.kv.key : change.key);
      if (change.kind === "put" && this.#isOwn(change.kv)) {
        begun.push(this.#put(name, change.kv));
      } else {
        this.#sink.remove(name);
      }
    }
    return begun.length === 0 ? DONE : Promise.all(begun).then(nothing);
  }

  /** Never rejects. */
  async #put(name: string, kv: KeyValue): Promise<void> {
    if (this.#sink.has(name, kv.modRevision)) {
      return;
    }
    const entry = this.#sink.admit(name, kv);
    if (entry === undefined) {
      return;
    }
    try {
      const counter = await this.#store.get(COUNTERS + name);
      if (entry.stage !== "gone") {
        this.#sink.begin(entry, counter);
      }
    } catch (error) {
      this.#sink.unreadable(entry, error);
    }
  }

  /** What cannot be read is everybody's, so that it is counted. */
  #isOwn({ value }: KeyValue): boolean {
    if (this.#partition.total === 1) {
      return true;
    }
    try {
      return owns(this.#partition, partitionIdOf(value));
    } catch {
      return true;
    }
  }

  async #counters(first: string, last: string): Promise<ReadonlyMap<string, KeyValue>> {
    const found = new Map<string, KeyValue>();
    const end = Buffer.concat([Buffer.from(COUNTERS + last), Buffer.of(0)]);
    let rest: KeyRange = { from: Buffer.from(COUNTERS + first), to: end };
    for (;;) {
      const page = await this.#store.list(rest, { limit: PAGE_KEYS });
      for (const kv of page) {
        found.set(kv.key, kv);
      }
      const next = page.at(-1);
      if (next === undefined || page.length < PAGE_KEYS) {
        return found;
      }
      rest = rangeAfter(rest, next.key);
    }
  }
}

function nameOf(key: string): string {
  return key.slice(JOBS.length);
}

function nothing(): void {}
