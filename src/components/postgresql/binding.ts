import { formatGoDuration } from "../../kit/duration.ts";
import { errorMessage } from "../../kit/error-message.ts";
import type { BindingRequest, BindingResponse, OutputBinding } from "../spi/bindings.ts";
import type { ComponentDeps, ComponentMetadata } from "../spi/component.ts";
import { ComponentError } from "../spi/errors.ts";
import { dial } from "./dial.ts";
import { componentClosed } from "./errors.ts";
import { decodeParameters } from "./parameters.ts";
import { SessionPool } from "./pool.ts";
import { Session } from "./session.ts";
import { postgresSettings } from "./settings.ts";
import type { Outcome } from "./statement.ts";

const NOTHING: BindingResponse = { data: undefined, metadata: {}, contentType: undefined };

/** Dapr's `bindings.postgresql`: the statement is the request's metadata `sql`, its parameters are in `params`. */
export class PostgresqlBinding implements OutputBinding {
  readonly operations = ["exec", "query", "close"];
  readonly #deps: ComponentDeps;
  #pool: SessionPool | undefined;
  #isClosed = false;

  constructor(deps: ComponentDeps) {
    this.#deps = deps;
  }

  async init(metadata: ComponentMetadata, signal: AbortSignal): Promise<void> {
    if (this.#isClosed) {
      throw new ComponentError("unavailable", "cannot initialize a previously-closed component");
    }
    const settings = postgresSettings(metadata, this.#deps);
    const pool = new SessionPool(settings, this.#deps, async (limit, onLost) => {
      const pg = await dial(settings, this.#deps.clock, limit);
      return new Session(pg, settings, this.#deps.clock, onLost);
    });
    this.#pool = pool;
    try {
      await pool.open(signal);
    } catch (error) {
      await pool.close();
      throw new ComponentError("unavailable", `failed to ping the DB: ${errorMessage(error)}`, { cause: error });
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#pool?.close();
  }

  async invoke({ operation, metadata }: BindingRequest, signal?: AbortSignal): Promise<BindingResponse> {
    if (operation === "close") {
      await this.close();
      return NOTHING;
    }
    const pool = this.#pool;
    if (this.#isClosed || pool === undefined) {
      throw componentClosed();
    }
    const sql = metadata["sql"] ?? "";
    if (sql === "") {
      throw new ComponentError("invalidRequest", "required metadata not set: sql");
    }
    const values = decodeParameters(metadata["params"] ?? "");
    if (operation !== "exec" && operation !== "query") {
      throw new ComponentError(
        "invalidRequest",
        `invalid operation type: ${operation}. Expected exec, query, or close`,
      );
    }
    const { clock } = this.#deps;
    const startTime = rfc3339(clock.now());
    const startedMs = clock.monotonicMs();
    const outcome = await run(pool, { kind: operation, sql, values }, signal);
    const isQuery = operation === "query";
    return {
      // An answer without data is still one: the door tells it from `close`, which has none.
      data: Buffer.from(isQuery ? outcome.rows : ""),
      metadata: {
        operation,
        sql,
        "start-time": startTime,
        ...(isQuery ? {} : { "rows-affected": String(outcome.rowsAffected) }),
        "end-time": rfc3339(clock.now()),
        duration: formatGoDuration(clock.monotonicMs() - startedMs),
      },
      contentType: undefined,
    };
  }
}

/** Steps of a statement whose errors say already what they are about. */
const NAMED = /^error (?:reading result|serializing results)/;

async function run(pool: SessionPool, ...call: Parameters<SessionPool["run"]>): Promise<Outcome> {
  try {
    return await pool.run(...call);
  } catch (error) {
    if (!(error instanceof ComponentError) || NAMED.test(error.message)) {
      throw error;
    }
    const { kind, message, facts } = error;
    throw new ComponentError(kind, `error executing query: ${message}`, { cause: error, facts });
  }
}

/** Go's RFC3339Nano: no zeros at the end of the fraction. */
function rfc3339(ms: number): string {
  return new Date(ms).toISOString().replace(/\.?0+Z$/, "Z");
}
