import type { Timer } from "../kit/clock.ts";
import type { SqlValue, Step, WriteDeadline, WriteResult } from "./engine.ts";
import { StepRefusedError, StorageError } from "./errors.ts";
import type { Outcome } from "./group-writer.ts";
import { DEADLINE_PERIOD_MS, STATEMENTS_MAX, WAITING_BYTES_MAX, WAITING_WRITES_MAX } from "./limits.ts";

const NO_ROWS: WriteResult["rows"] = [[]];
const NOTHING: WriteResult = { changes: [0], rows: NO_ROWS };
const ONE_CHANGE: WriteResult = { changes: [1], rows: NO_ROWS };

interface PendingWrite {
  readonly bytes: number;
  /** On the deadline's monotonic clock; 0 without one. */
  readonly sinceMs: number;
  readonly resolve: (result: WriteResult) => void;
  readonly reject: (error: Error) => void;
}

/** The writes whose outcome is awaited, in the order in which outcomes come back, and the limit on them. */
export class PendingWrites {
  #queue: PendingWrite[] = [];
  #head = 0;
  #bytes = 0;
  readonly #deadline: WriteDeadline | undefined;
  readonly #watch: Timer | undefined;

  constructor(deadline: WriteDeadline | undefined) {
    this.#deadline = deadline;
    this.#watch = deadline?.clock.every(DEADLINE_PERIOD_MS, () => this.#expire(deadline));
  }

  get size(): number {
    return this.#queue.length - this.#head;
  }

  /** @throws StorageError `overloaded` */
  checkRoom(): void {
    if (this.size >= WAITING_WRITES_MAX) {
      throw new StorageError(
        "overloaded",
        `the database takes no more writes: ${WAITING_WRITES_MAX} are waiting for the disk, which is the limit (WAITING_WRITES_MAX)`,
      );
    }
    if (this.#bytes >= WAITING_BYTES_MAX) {
      throw new StorageError(
        "overloaded",
        `the database takes no more writes: ${WAITING_BYTES_MAX} bytes are waiting for the disk, which is the limit (WAITING_BYTES_MAX)`,
      );
    }
  }

  add(bytes: number): Promise<WriteResult> {
    this.#bytes += bytes;
    const sinceMs = this.#deadline?.clock.monotonicMs() ?? 0;
    return new Promise((resolve, reject) => {
      this.#queue.push({ bytes, sinceMs, resolve, reject });
    });
  }

  settle(outcomes: readonly Outcome[]): void {
    for (const outcome of outcomes) {
      const write = this.#shift();
      if (typeof outcome === "number") {
        write?.resolve(outcome === 1 ? ONE_CHANGE : outcome === 0 ? NOTHING : { changes: [outcome], rows: NO_ROWS });
      } else if ("refused" in outcome) {
        write?.reject(new StepRefusedError(outcome.refused));
      } else if ("failed" in outcome) {
        write?.reject(new StorageError("sqlite", outcome.failed, { code: outcome.code }));
      } else {
        write?.resolve({
          changes: outcome.map((did) => (typeof did === "number" ? did : did.length)),
          rows: outcome.map((did) => (typeof did === "number" ? [] : did)),
        });
      }
    }
  }

  /** Nothing more will come back. */
  fail(error: StorageError): void {
    for (let write = this.#shift(); write !== undefined; write = this.#shift()) {
      write.reject(error);
    }
  }

  /** Nothing will be added any more. */
  stopWatching(): void {
    this.#watch?.cancel();
  }

  /** What is overdue keeps its place, since its outcome may still come; by then nobody waits for it. */
  #expire({ clock, ms }: WriteDeadline): void {
    const latestMs = clock.monotonicMs() - ms;
    for (let at = this.#head; at < this.#queue.length; at += 1) {
      const write = this.#queue[at];
      if (write === undefined || write.sinceMs > latestMs) {
        return;
      }
      write.reject(new StorageError("timeout", `the disk has not answered within ${ms} ms`));
    }
  }

  /** A queue by two ends: the front is cut off when half of it has been used up. */
  #shift(): PendingWrite | undefined {
    const write = this.#queue[this.#head];
    if (write === undefined) {
      return undefined;
    }
    this.#head += 1;
    this.#bytes -= write.bytes;
    if (this.#head === this.#queue.length) {
      this.#queue = [];
      this.#head = 0;
    } else if (this.#head >= 1_024 && this.#head * 2 >= this.#queue.length) {
      this.#queue = this.#queue.slice(this.#head);
      this.#head = 0;
    }
    return write;
  }
}

/** Looks statements up by name. @throws RangeError for too many of them, and for a name the engine was not opened with */
export class StatementNames {
  readonly sources: readonly string[];
  readonly #indices: ReadonlyMap<string, number>;

  constructor(statements: Readonly<Record<string, string>>) {
    const names = Object.keys(statements);
    if (names.length > STATEMENTS_MAX) {
      throw new RangeError(`an engine has ${names.length} statements; at most ${STATEMENTS_MAX} are possible`);
    }
    this.sources = Object.values(statements);
    this.#indices = new Map(names.map((name, index) => [name, index]));
  }

  index(name: string): number {
    const index = this.#indices.get(name);
    if (index === undefined) {
      throw new RangeError(`the engine has no statement ${JSON.stringify(name)}`);
    }
    return index;
  }
}

/** Steps by position instead of name, their bytes copied. */
export function packedSteps(names: StatementNames, steps: readonly Step[]) {
  return steps.map(({ statement, params, mustChange }) => ({
    statement: names.index(statement),
    params: params.map(copied),
    mustChange: mustChange === true,
  }));
}

function copied(param: SqlValue): SqlValue {
  return param instanceof Uint8Array ? new Uint8Array(param) : param;
}
