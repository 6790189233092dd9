import type { Worker } from "node:worker_threads";
import { type Connection, openReader, storageErrorOf } from "./connection.ts";
import type { Engine, EngineOptions, EngineStats, Row, SqlValue, Step, WriteResult } from "./engine.ts";
import { StorageError } from "./errors.ts";
import { StatementNames } from "./pending-writes.ts";
import type { WriterData } from "./writer-messages.ts";
import { spawnWriter, WriterThread } from "./writer-thread.ts";

/**
 * An engine whose writes are made by a thread of its own, so that no fsync holds the event loop; reads come from a
 * connection of the caller's thread. Should the thread die, the writes under way fail with `unknown-outcome` and the next
 * write starts another one.
 * @param spawn starts the thread; for tests that let it die
 * @throws StorageError when the database cannot be opened
 */
export async function openWorkerEngine<S extends string>(
  options: EngineOptions<S>,
  spawn: (data: WriterData) => Worker = spawnWriter,
): Promise<Engine<S>> {
  const { statements, deadline, ...database } = options;
  const names = new StatementNames(statements);
  const writer = new WriterThread(() => spawn({ options: database, sources: names.sources }), deadline);
  await writer.open();
  try {
    return new WorkerEngine<S>(writer, openReader(database, names.sources), names);
  } catch (error) {
    await writer.close();
    throw error;
  }
}

class WorkerEngine<S extends string> implements Engine<S> {
  readonly #writer: WriterThread;
  readonly #reader: Connection;
  readonly #names: StatementNames;
  #closing: Promise<void> | undefined;

  constructor(writer: WriterThread, reader: Connection, names: StatementNames) {
    this.#writer = writer;
    this.#reader = reader;
    this.#names = names;
  }

  get stats(): EngineStats {
    return this.#writer.stats;
  }

  async write(steps: readonly Step<S>[]): Promise<WriteResult> {
    if (this.#closing !== undefined) {
      throw closed();
    }
    return this.#writer.write(this.#names, steps);
  }

  read(statement: S, params: readonly SqlValue[]): Row | undefined {
    try {
      return this.#prepared(statement).get(...params) as unknown as Row | undefined;
    } catch (error) {
      throw storageErrorOf(error);
    }
  }

  readAll(statement: S, params: readonly SqlValue[]): readonly Row[] {
    try {
      return this.#prepared(statement).all(...params) as unknown as readonly Row[];
    } catch (error) {
      throw storageErrorOf(error);
    }
  }

  close(): Promise<void> {
    if (this.#closing === undefined) {
      this.#reader.close();
      this.#closing = this.#writer.close();
    }
    return this.#closing;
  }

  #prepared(statement: S): ReturnType<Connection["statement"]> {
    if (this.#closing !== undefined) {
      throw closed();
    }
    return this.#reader.statement(this.#names.index(statement));
  }
}

function closed(): StorageError {
  return new StorageError("closed", "the database has been closed");
}
