import { Worker } from "node:worker_threads";
import type { Step, WriteDeadline, WriteResult } from "./engine.ts";
import { StorageError } from "./errors.ts";
import { PacketWriter } from "./packet.ts";
import { PendingWrites, type StatementNames } from "./pending-writes.ts";
import type { ToEngine, ToWriter, WriterData } from "./writer-messages.ts";
import { WRITER_SCRIPT } from "./writer-script.ts";

/** Starts a thread with the writer's program and an empty environment. */
export function spawnWriter(data: WriterData): Worker {
  return new Worker(WRITER_SCRIPT.script, {
    eval: WRITER_SCRIPT.eval,
    name: "sqlite-writer",
    workerData: data,
    env: {},
  });
}

/** One thread and the writes that it has been sent; a packet goes out at the end of each turn of the event loop. */
export class WriterThread {
  readonly stats = { writes: 0, groups: 0 };
  readonly #spawn: () => Worker;
  readonly #packet = new PacketWriter();
  readonly #pending: PendingWrites;
  #worker: Worker | undefined;
  #flushing = false;

  constructor(spawn: () => Worker, deadline: WriteDeadline | undefined) {
    this.#spawn = spawn;
    this.#pending = new PendingWrites(deadline);
  }

  /** Starts the thread and waits until it has the database open. @throws StorageError */
  async open(): Promise<void> {
    const worker = this.#start();
    const first = await new Promise<ToEngine | StorageError>((resolve) => {
      worker.once("message", resolve);
      worker.once("error", (error) => resolve(lost(error)));
      worker.once("exit", () => resolve(lost(undefined)));
    });
    if (first instanceof StorageError) {
      this.#pending.stopWatching();
      throw first;
    }
    if (typeof first === "object" && "openFailed" in first) {
      this.#pending.stopWatching();
      await exited(worker);
      throw new StorageError("sqlite", first.openFailed, { code: first.code });
    }
  }

  write(names: StatementNames, steps: readonly Step[]): Promise<WriteResult> {
    this.#pending.checkRoom();
    const packet = this.#packet;
    const before = packet.byteLength;
    try {
      packet.beginWrite(steps.length);
      for (const { statement, params, mustChange } of steps) {
        packet.addStep(names.index(statement), mustChange === true, params);
      }
    } catch (error) {
      packet.truncate(before);
      throw error;
    }
    if (!this.#flushing) {
      this.#flushing = true;
      setImmediate(() => this.#flush());
    }
    return this.#pending.add(packet.byteLength - before);
  }

  async close(): Promise<void> {
    this.#flush();
    const worker = this.#worker;
    if (worker !== undefined) {
      this.#post(worker, "close");
      await exited(worker);
    }
    this.#pending.stopWatching();
  }

  #flush(): void {
    this.#flushing = false;
    const { byteLength } = this.#packet;
    if (byteLength > 0) {
      this.#post(this.#worker ?? this.#start(), { packet: this.#packet.take(), byteLength });
    }
  }

  #post(worker: Worker, message: ToWriter): void {
    worker.postMessage(message, message === "close" ? [] : [message.packet]);
  }

  #start(): Worker {
    const worker = this.#spawn();
    let cause: unknown;
    worker.on("message", (message: ToEngine) => this.#receive(message));
    worker.on("error", (error) => (cause = error));
    worker.on("exit", () => {
      if (this.#worker === worker) {
        this.#abandon(lost(cause));
      }
    });
    this.#worker = worker;
    return worker;
  }

  /** What has not been sent yet fails with the rest: outcomes are told apart by their order alone. */
  #abandon(error: StorageError): void {
    this.#worker = undefined;
    this.#packet.truncate(0);
    this.#pending.fail(error);
  }

  #receive(message: ToEngine): void {
    if (message === "open") {
      return;
    }
    if ("openFailed" in message) {
      this.#abandon(new StorageError("sqlite", message.openFailed, { code: message.code }));
      return;
    }
    this.stats.groups += 1;
    this.stats.writes += message.outcomes.length;
    this.#pending.settle(message.outcomes);
  }
}

function exited(worker: Worker): Promise<void> {
  return new Promise((resolve) => {
    if (worker.threadId === -1) {
      resolve();
    } else {
      worker.once("exit", () => resolve());
    }
  });
}

function lost(cause: unknown): StorageError {
  const why = cause instanceof Error ? `: ${cause.message}` : "";
  return new StorageError("unknown-outcome", `the database's writer thread has ended by itself${why}`, { cause });
}
