import { type Connection, openWriter, storageErrorOf } from "./connection.ts";
import type { Engine, EngineOptions, EngineStats, Row, SqlValue, Step, WriteResult } from "./engine.ts";
import { StorageError } from "./errors.ts";
import { GroupWriter, type Outcome } from "./group-writer.ts";
import type { PackedStep } from "./packet.ts";
import { packedSteps, PendingWrites, StatementNames } from "./pending-writes.ts";

/** What a simulation hears about and decides: the moments around a commit, and when it happens. */
export interface LocalEngineHooks {
  /** Writes wait: `flush` is to be called once, later. Without it, in the next turn of the event loop. */
  schedule?(flush: () => void): void;
  /** A group is about to be written. */
  beforeGroup?(): void;
  /** The group is on disk and its writes are about to be acknowledged. */
  afterGroup?(): void;
}

/**
 * An engine on one connection of the caller's thread: for databases in memory, for tests, and for processes that may wait
 * for the disk. Writes of one turn of the event loop make a group.
 * @throws StorageError when the database cannot be opened
 */
export function openLocalEngine<S extends string>(options: EngineOptions<S>, hooks: LocalEngineHooks = {}): Engine<S> {
  const names = new StatementNames(options.statements);
  return new LocalEngine<S>(openWriter(options, names.sources), names, hooks);
}

class LocalEngine<S extends string> implements Engine<S> {
  readonly #counts = { writes: 0, groups: 0 };
  readonly #connection: Connection;
  readonly #names: StatementNames;
  readonly #hooks: LocalEngineHooks;
  readonly #schedule: (flush: () => void) => void;
  readonly #groups: GroupWriter;
  readonly #pending = new PendingWrites(undefined);
  #waiting: PackedStep[][] = [];
  #closed = false;

  constructor(connection: Connection, names: StatementNames, hooks: LocalEngineHooks) {
    this.#connection = connection;
    this.#names = names;
    this.#hooks = hooks;
    this.#schedule = (flush) => (hooks.schedule ?? setImmediate)(flush);
    this.#groups = new GroupWriter(connection);
  }

  get stats(): EngineStats {
    return this.#counts;
  }

  async write(steps: readonly Step<S>[]): Promise<WriteResult> {
    this.#checkOpen();
    this.#pending.checkRoom();
    const packed = packedSteps(this.#names, steps);
    if (this.#waiting.push(packed) === 1) {
      this.#schedule(() => this.#flush());
    }
    return this.#pending.add(bytesOf(packed));
  }

  read(statement: S, params: readonly SqlValue[]): Row | undefined {
    return this.#reading(statement, (prepared) => prepared.get(...params) as unknown as Row | undefined);
  }

  readAll(statement: S, params: readonly SqlValue[]): readonly Row[] {
    return this.#reading(statement, (prepared) => prepared.all(...params) as unknown as readonly Row[]);
  }

  async close(): Promise<void> {
    this.#flush();
    this.#closed = true;
    this.#connection.close();
  }

  #reading<T>(statement: S, read: (prepared: ReturnType<Connection["statement"]>) => T): T {
    this.#checkOpen();
    try {
      return read(this.#connection.statement(this.#names.index(statement)));
    } catch (error) {
      throw storageErrorOf(error);
    }
  }

  #checkOpen(): void {
    if (this.#closed) {
      throw new StorageError("closed", "the database has been closed");
    }
  }

  #flush(): void {
    const writes = this.#waiting;
    if (writes.length === 0) {
      return;
    }
    this.#waiting = [];
    this.#hooks.beforeGroup?.();
    const outcomes: Outcome[] = this.#groups.run(writes);
    this.#hooks.afterGroup?.();
    this.#counts.groups += 1;
    this.#counts.writes += outcomes.length;
    this.#pending.settle(outcomes);
  }
}

function bytesOf(steps: readonly PackedStep[]): number {
  let bytes = 0;
  for (const { params } of steps) {
    for (const param of params) {
      bytes += typeof param === "string" || param instanceof Uint8Array ? param.length : 8;
    }
  }
  return bytes;
}
