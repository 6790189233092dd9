import type { Engine, Row, Step, WriteResult } from "../../../storage/engine.ts";
import { StepRefusedError, StorageError } from "../../../storage/errors.ts";
import {
  type Commit,
  type CommitResult,
  type Condition,
  type Follower,
  type Following,
  type KeyChange,
  type KeyOperation,
  type KeyRange,
  KeyStoreError,
  type KeyValue,
  type ListOptions,
  type WatchedKeyStore,
} from "./key-store.ts";
import { followCommits } from "./follow-commits.ts";
import { type KeyState, KeyStates } from "./key-states.ts";
import { contains } from "./keys.ts";
import type { KeyStatement } from "./sqlite-schema.ts";

/** Attempts of a commit whose assumptions failed with an earlier one. */
const ATTEMPTS_MAX = 5;

const NOTHING = new Uint8Array();

/** A commit on its way to the disk, as far as later ones must know it. */
interface Pending {
  readonly revision: number;
  readonly state: KeyState | undefined;
}

interface Planned {
  readonly revision: number;
  readonly steps: Step<KeyStatement>[];
  readonly changes: KeyChange[];
  readonly deleted: number[];
  readonly touched: Map<string, KeyState | undefined>;
  bytes: number;
}

/**
 * The port on one SQLite file. A commit is decided here, against the disk and the commits on their way to it, and written
 * in the order of the decisions; should one fail on the disk, those that were decided after it are decided again.
 */
export class SqliteKeyStore implements WatchedKeyStore {
  revision: number;
  bytes: number;
  readonly #engine: Engine<KeyStatement>;
  readonly #bytesMax: number;
  readonly #listeners = new Set<(changes: readonly KeyChange[], revision: number) => void>();
  readonly #pending = new Map<string, Pending>();
  readonly #known = new KeyStates();
  #lastWrite: Promise<unknown> = Promise.resolve();
  #decided: number;

  constructor(engine: Engine<KeyStatement>, bytesMax: number) {
    this.#engine = engine;
    this.#bytesMax = bytesMax;
    this.revision = numberAt(engine.read("readRevision", []), 0);
    this.#decided = this.revision;
    this.bytes = numberAt(engine.read("readBytes", []), 0);
  }

  async get(key: string): Promise<KeyValue | undefined> {
    if (this.#known.has(key) && this.#known.get(key) === undefined) {
      return undefined;
    }
    const row = this.#read("get", key);
    if (row === undefined) {
      this.#known.note(key, undefined);
      return undefined;
    }
    const kv = keyValueOf(row);
    const { createRevision, modRevision, version, value } = kv;
    this.#known.note(key, {
      createRevision,
      modRevision,
      version,
      bytes: (row[0] as Uint8Array).length + value.length,
    });
    return kv;
  }

  async list({ from, to }: KeyRange, { limit, keysOnly }: ListOptions): Promise<readonly KeyValue[]> {
    const kind = keysOnly === true ? "listKeys" : "list";
    const rows = this.#reading(() =>
      to === undefined
        ? this.#engine.readAll(`${kind}From`, [from, limit])
        : this.#engine.readAll(kind, [from, to, limit]),
    );
    return rows.map(keyValueOf);
  }

  async count({ from, to }: KeyRange): Promise<number> {
    const row = this.#reading(() =>
      to === undefined ? this.#engine.read("countFrom", [from]) : this.#engine.read("count", [from, to]),
    );
    return numberAt(row, 0);
  }

  async commit(commit: Commit): Promise<CommitResult> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#attempt(commit);
      } catch (error) {
        if (!(error instanceof StepRefusedError) || attempt === ATTEMPTS_MAX) {
          throw failure(error);
        }
      }
    }
  }

  watch(listener: (changes: readonly KeyChange[], revision: number) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  follow(range: KeyRange, follower: Follower): Following {
    return followCommits(this, range, follower);
  }

  async close(): Promise<void> {
    await this.#engine.close();
  }

  async #attempt(commit: Commit): Promise<CommitResult> {
    const conditions = commit.conditions ?? [];
    const succeeded = conditions.every((condition) => this.#holds(condition));
    const planned = this.#plan(succeeded ? commit.apply : (commit.otherwise ?? []), conditions);
    if (planned.changes.length === 0) {
      // What it was decided on may still be on its way, and may fail there.
      await this.#lastWrite;
      if (conditions.every((condition) => this.#holds(condition)) !== succeeded) {
        return await this.#attempt(commit);
      }
      return { succeeded, revision: this.revision, deleted: planned.deleted };
    }
    this.#checkRoom(planned, commit);
    await this.#write(planned);
    return { succeeded, revision: planned.revision, deleted: planned.deleted };
  }

  #holds({ key, modRevision }: Condition): boolean {
    return (this.#stateOf(key)?.modRevision ?? 0) === modRevision;
  }

  #plan(operations: readonly KeyOperation[], conditions: readonly Condition[]): Planned {
    const planned: Planned = {
      revision: this.#decided + 1,
      steps: [],
      changes: [],
      deleted: [],
      touched: new Map(),
      bytes: 0,
    };
    for (const { key } of conditions) {
      const pending = this.#pending.get(key);
      if (pending !== undefined) {
        const assumed = pending.state?.modRevision ?? null;
        planned.steps.push({ statement: "expect", params: [Buffer.from(key), assumed], mustChange: true });
      }
    }
    for (const operation of operations) {
      planned.deleted.push(this.#planOperation(planned, operation));
    }
    planned.steps.push({ statement: "advance", params: [planned.revision] });
    return planned;
  }

  /** @returns how many keys it deletes */
  #planOperation(planned: Planned, operation: KeyOperation): number {
    switch (operation.kind) {
      case "put":
        this.#planPut(planned, operation);
        return 0;
      case "delete":
        return this.#planDelete(planned, operation.key);
      case "delete range": {
        const keys = this.#keysIn(operation.range, planned);
        let deleted = 0;
        for (const key of keys) {
          deleted += this.#planDelete(planned, key);
        }
        return deleted;
      }
    }
  }

  #planPut(planned: Planned, { key, value, lease = 0 }: KeyOperation & { readonly kind: "put" }): void {
    const before = this.#stateOf(key, planned);
    const { revision } = planned;
    const keyBytes = Buffer.from(key);
    const state: KeyState = {
      createRevision: before?.createRevision ?? revision,
      modRevision: revision,
      version: (before?.version ?? 0) + 1,
      bytes: keyBytes.length + value.length,
    };
    planned.steps.push({ statement: "put", params: [keyBytes, value, revision, lease] });
    planned.changes.push({ kind: "put", kv: { key, value, ...state, lease } });
    planned.touched.set(key, state);
    planned.bytes += state.bytes - (before?.bytes ?? 0);
  }

  #planDelete(planned: Planned, key: string): number {
    const before = this.#stateOf(key, planned);
    if (before === undefined) {
      return 0;
    }
    planned.steps.push({ statement: "delete", params: [Buffer.from(key)] });
    planned.changes.push({ kind: "delete", key });
    planned.touched.set(key, undefined);
    planned.bytes -= before.bytes;
    return 1;
  }

  #stateOf(key: string, planned?: Planned): KeyState | undefined {
    if (planned?.touched.has(key) === true) {
      return planned.touched.get(key);
    }
    const pending = this.#pending.get(key);
    if (pending !== undefined) {
      return pending.state;
    }
    if (this.#known.has(key)) {
      return this.#known.get(key);
    }
    const row = this.#read("state", key);
    const state = row === undefined ? undefined : stateOf(row);
    this.#known.note(key, state);
    return state;
  }

  /** On the disk or on their way to it; `#planDelete` sees which of them are still there. */
  #keysIn({ from, to }: KeyRange, planned: Planned): ReadonlySet<string> {
    const rows = this.#reading(() =>
      to === undefined ? this.#engine.readAll("namesFrom", [from]) : this.#engine.readAll("names", [from, to]),
    );
    const keys = new Set(rows.map((row) => textOf(row[0])));
    for (const key of [...this.#pending.keys(), ...planned.touched.keys()]) {
      if (contains({ from, to }, Buffer.from(key))) {
        keys.add(key);
      }
    }
    return keys;
  }

  #checkRoom({ bytes }: Planned, { essential }: Commit): void {
    if (bytes > 0 && essential !== true && this.bytes + bytes > this.#bytesMax) {
      throw new KeyStoreError(
        "no space",
        `the keys of the scheduler have ${this.bytes} bytes and may have ${this.#bytesMax} (--etcd-space-quota)`,
      );
    }
  }

  async #write({ revision, steps, changes, touched, bytes }: Planned): Promise<void> {
    this.#decided = revision;
    this.bytes += bytes;
    for (const [key, state] of touched) {
      this.#pending.set(key, { revision, state });
    }
    const writing = this.#engine.write(steps);
    this.#lastWrite = writing.then(ignore, ignore);
    try {
      await writing;
    } catch (error) {
      this.bytes -= bytes;
      for (const key of touched.keys()) {
        this.#known.forget(key);
        this.#settle(key, revision);
      }
      throw error;
    }
    for (const [key, state] of touched) {
      this.#known.note(key, state);
      this.#settle(key, revision);
    }
    this.revision = revision;
    for (const listener of this.#listeners) {
      listener(changes, revision);
    }
  }

  #settle(key: string, revision: number): void {
    if (this.#pending.get(key)?.revision === revision) {
      this.#pending.delete(key);
    }
  }

  #read(statement: "get" | "state", key: string): Row | undefined {
    try {
      return this.#engine.read(statement, [Buffer.from(key)]);
    } catch (error) {
      throw failure(error);
    }
  }

  #reading<T>(read: () => T): T {
    try {
      return read();
    } catch (error) {
      throw failure(error);
    }
  }
}

function failure(error: unknown): unknown {
  if (error instanceof StorageError) {
    const kind = error.kind === "overloaded" || error.kind === "closed" ? error.kind : "failed";
    return new KeyStoreError(kind, error.message, { cause: error });
  }
  return error;
}

function keyValueOf([key, value, createRevision, modRevision, version, lease]: Row): KeyValue {
  return {
    key: textOf(key),
    value: (value ?? NOTHING) as Uint8Array,
    createRevision: createRevision as number,
    modRevision: modRevision as number,
    version: version as number,
    lease: lease as number,
  };
}

function stateOf(row: Row): KeyState {
  const [createRevision, modRevision, version, bytes] = row as readonly number[] as readonly [
    number,
    number,
    number,
    number,
  ];
  return { createRevision, modRevision, version, bytes };
}

function textOf(key: Row[number] | undefined): string {
  const bytes = key as Uint8Array;
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString();
}

function numberAt(row: Row | undefined, index: number): number {
  return (row?.[index] ?? 0) as number;
}

function ignore(_result?: WriteResult | Error): void {}
