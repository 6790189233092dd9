import type { StatementSync } from "node:sqlite";
import { type Connection, storageErrorOf } from "./connection.ts";
import type { Row } from "./engine.ts";
import type { PackedStep } from "./packet.ts";

/**
 * What became of one write, as it crosses threads: the number of changes of a single step; what each of several steps
 * did (a number, or the rows it returned); or why the write was undone.
 */
export type Outcome =
  | number
  | readonly (number | readonly Row[])[]
  | { readonly refused: number }
  | { readonly failed: string; readonly code: number };

/** Thrown inside a write to undo it. */
class Refusal extends Error {
  readonly step: number;

  constructor(step: number) {
    super("refused");
    this.step = step;
  }
}

/** Runs many writes as one transaction, each atomic by itself. */
export class GroupWriter {
  readonly #connection: Connection;
  readonly #returning = new WeakMap<StatementSync, boolean>();

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /**
   * Everything that did not fail is on disk when this returns. A failure that takes the whole transaction with it (a full
   * disk, say) is the outcome of every write of the group.
   */
  run(writes: readonly (readonly PackedStep[])[]): Outcome[] {
    const { database } = this.#connection;
    const outcomes: Outcome[] = [];
    try {
      database.exec("BEGIN IMMEDIATE");
      for (const steps of writes) {
        outcomes.push(this.#write(steps));
      }
      database.exec("COMMIT");
      return outcomes;
    } catch (error) {
      if (database.isTransaction) {
        database.exec("ROLLBACK");
      }
      return writes.map(() => failureOf(error));
    }
  }

  /** A single statement undoes itself when it fails; several stand in a savepoint. */
  #write(steps: readonly PackedStep[]): Outcome {
    const [only] = steps;
    const { database } = this.#connection;
    try {
      if (steps.length === 1 && only !== undefined) {
        const did = this.#step(only, 0);
        return typeof did === "number" ? did : [did];
      }
      database.exec("SAVEPOINT w");
      const did = steps.map((step, index) => this.#step(step, index));
      database.exec("RELEASE w");
      return did;
    } catch (error) {
      if (!database.isTransaction) {
        throw error;
      }
      if (steps.length !== 1) {
        database.exec("ROLLBACK TO w; RELEASE w");
      }
      return error instanceof Refusal ? { refused: error.step } : failureOf(error);
    }
  }

  #step({ statement, params, mustChange }: PackedStep, index: number): number | readonly Row[] {
    const prepared = this.#connection.statement(statement);
    if (this.#returns(prepared)) {
      const rows = prepared.all(...params) as unknown as readonly Row[];
      if (mustChange && rows.length === 0) {
        throw new Refusal(index);
      }
      return rows;
    }
    const changes = Number(prepared.run(...params).changes);
    if (mustChange && changes === 0) {
      throw new Refusal(index);
    }
    return changes;
  }

  #returns(statement: StatementSync): boolean {
    let returns = this.#returning.get(statement);
    if (returns === undefined) {
      returns = statement.columns().length > 0;
      this.#returning.set(statement, returns);
    }
    return returns;
  }
}

function failureOf(error: unknown): Outcome {
  const { message, code } = storageErrorOf(error);
  return { failed: message, code };
}
