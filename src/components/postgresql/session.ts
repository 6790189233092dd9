import { createHash } from "node:crypto";
import type { Clock } from "../../kit/clock.ts";
import { ComponentError } from "../spi/errors.ts";
import { encodeUntyped } from "./parameters.ts";
import type { PgSession } from "./pg-session.ts";
import type { PostgresSettings } from "./settings-types.ts";
import { type Description, ExtendedStatement, type Outcome, SimpleStatement, type Statement } from "./statement.ts";

/** What is asked of a session: `query` for rows, `exec` for a count. */
export interface Command {
  readonly kind: "query" | "exec";
  readonly sql: string;
  readonly values: readonly unknown[];
}

/** What pgx sends to see whether a connection is alive. */
const PROBE_SQL = "-- ping";

/** One connection with the statements that it has prepared. It runs one command at a time. */
export class Session {
  readonly openedMs: number;
  /** When it was last given back, on the monotonic clock. */
  idleSinceMs: number;
  lifetimeMs: number;
  #isOpen = true;
  readonly #pg: PgSession;
  readonly #settings: PostgresSettings;
  /** SQL → what the server said about it; the oldest first. */
  readonly #known = new Map<string, Description>();
  #dispose: string[] = [];

  constructor(
    pg: PgSession,
    settings: PostgresSettings,
    clock: Clock,
    onLost: (session: Session, error: Error) => void,
  ) {
    this.#pg = pg;
    this.#settings = settings;
    this.openedMs = clock.monotonicMs();
    this.idleSinceMs = this.openedMs;
    this.lifetimeMs = Infinity;
    const lost = (error: Error): void => {
      if (this.#isOpen) {
        this.#isOpen = false;
        pg.destroy();
        onLost(this, error);
      }
    };
    pg.client.on("error", lost);
    pg.client.on("end", () => lost(new Error("Connection terminated unexpectedly")));
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /**
   * @throws ComponentError `invalidRequest` with the server's error; `unavailable` when the connection is lost, and then
   * nobody knows whether the command ran
   */
  async run(command: Command, signal: AbortSignal | undefined): Promise<Outcome> {
    if (command.kind === "exec" && command.values.length === 0) {
      return await this.#settle(new SimpleStatement(command.sql), signal);
    }
    try {
      return await this.#settle(this.#extended(command), signal);
    } catch (error) {
      this.#forget(command.sql);
      throw error;
    }
  }

  /** @throws ComponentError when the server does not answer */
  async probe(signal: AbortSignal): Promise<void> {
    await this.#settle(new SimpleStatement(PROBE_SQL), signal);
  }

  async end(): Promise<void> {
    this.#isOpen = false;
    await this.#pg.client.end();
  }

  /** Cuts the connection and asks nothing. */
  destroy(): void {
    this.#isOpen = false;
    this.#pg.destroy(new Error("Connection terminated"));
  }

  async #settle(statement: Statement, signal: AbortSignal | undefined): Promise<Outcome> {
    const onAbort = (): void => {
      this.#pg.cancel();
      this.destroy();
    };
    signal?.addEventListener("abort", onAbort, { once: true });
    try {
      if (signal?.aborted === true) {
        throw new ComponentError("timeout", "timeout: context already done: context canceled");
      }
      this.#pg.run(statement);
      return await statement.outcome;
    } catch (error) {
      if (signal?.aborted === true) {
        throw new ComponentError("timeout", "timeout: context deadline exceeded", { cause: error });
      }
      throw error;
    } finally {
      signal?.removeEventListener("abort", onAbort);
    }
  }

  #extended({ kind, sql, values }: Command): ExtendedStatement {
    const { execMode, statementsMax } = this.#settings;
    const keeps = statementsMax > 0 && (execMode === "cache_statement" || execMode === "cache_describe");
    const description = this.#known.get(sql);
    const named = execMode === "cache_statement" && statementsMax > 0;
    const untyped = execMode === "exec" || execMode === "simple_protocol";
    const dispose = this.#dispose;
    this.#dispose = [];
    return new ExtendedStatement({
      sql,
      values,
      name: named ? statementName(sql) : "",
      description: named ? description : undefined,
      dispose,
      parameters: untyped ? encodeUntyped(values) : undefined,
      countError: kind === "query" ? expectedArguments : () => "mismatched param and argument count",
      onDescription: (told) => {
        if (keeps && named) {
          this.#keep(sql, told);
        }
      },
    });
  }

  #keep(sql: string, description: Description): void {
    this.#known.set(sql, description);
    if (this.#known.size > this.#settings.statementsMax) {
      const [oldest] = this.#known.keys();
      if (oldest !== undefined) {
        this.#forget(oldest);
      }
    }
  }

  /** A statement that failed may have been planned for a table as it was before. */
  #forget(sql: string): void {
    if (this.#known.delete(sql)) {
      this.#dispose.push(statementName(sql));
    }
  }
}

const NAME_BYTES = 24;

/** pgx's names, so that an administrator sees in pg_prepared_statements what is known from Dapr. */
function statementName(sql: string): string {
  return `stmtcache_${createHash("sha256")
    .update(sql)
    .digest("hex")
    .slice(0, 2 * NAME_BYTES)}`;
}

function expectedArguments(wanted: number, given: number): string {
  return `expected ${wanted} arguments, got ${given}`;
}
