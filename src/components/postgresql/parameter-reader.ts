import { availableParallelism } from "node:os";
import type { ConnectionOptions } from "node:tls";
import { InvalidDurationError, parseGoDuration } from "../../kit/duration.ts";
import { ComponentError } from "../spi/errors.ts";
import { type ConnectionParameters, unreadable } from "./connection-string.ts";
import {
  CONNECT_MS_MAX,
  CONNECTIONS_MAX_MIN,
  HEALTH_PERIOD_MS,
  IDLE_MS_MAX,
  LIFETIME_MS_MAX,
  STATEMENTS_MAX,
} from "./limits.ts";
import type { Endpoint, ExecMode, PoolSettings, PostgresSettings, SessionTarget } from "./settings-types.ts";
import { tlsChoices } from "./tls-options.ts";

const EXEC_MODES: readonly string[] = [
  "cache_statement",
  "cache_describe",
  "describe_exec",
  "exec",
  "simple_protocol",
] satisfies ExecMode[];

/** Whether a text is one of pgx's names. */
export function isExecMode(text: string): text is ExecMode {
  return EXEC_MODES.includes(text);
}

/** Names that are not for the server. The rest of a connection string is. */
const OURS: ReadonlySet<string> = new Set(
  `host port database user password connect_timeout target_session_attrs channel_binding sslmode
  sslkey sslcert sslrootcert sslnegotiation sslpassword sslsni min_protocol_version max_protocol_version krbspn krbsrvname
  pool_max_conns pool_min_conns pool_min_idle_conns pool_max_conn_lifetime pool_max_conn_idle_time pool_health_check_period
  pool_max_conn_lifetime_jitter statement_cache_capacity description_cache_capacity default_query_exec_mode`.split(
    /\s+/,
  ),
);

/** Names of libpq that would change who is asked or who asks, so they are not passed over in silence. */
const NOT_SUPPORTED: readonly string[] = ["service", "servicefile", "passfile"];

const TARGETS: readonly string[] = [
  "any",
  "read-write",
  "read-only",
  "primary",
  "standby",
  "prefer-standby",
] satisfies SessionTarget[];

function isTarget(text: string): text is SessionTarget {
  return TARGETS.includes(text);
}

const PORT_MAX = 65_535;
const INTEGER = /^[+-]?[0-9]+$/;
const INT32_MAX = 2 ** 31 - 1;

/** Makes settings of the names and values of a connection string. Its methods throw ComponentError `invalidMetadata`. */
export class ParameterReader {
  readonly #text: string;
  readonly #given: ConnectionParameters;

  constructor(text: string, given: ConnectionParameters) {
    this.#text = text;
    this.#given = given;
  }

  settings(): PostgresSettings {
    const given = this.#given;
    for (const name of NOT_SUPPORTED) {
      if (given[name] !== undefined) {
        throw new ComponentError("unsupported", `${name} is not supported yet in a connection string`);
      }
    }
    const target = given["target_session_attrs"] ?? "";
    if (!isTarget(target)) {
      throw unreadable(this.#text, `unknown target_session_attrs value: ${target}`);
    }
    const user = given["user"] ?? "";
    return {
      endpoints: this.#endpoints(),
      user,
      database: given["database"] ?? "",
      password: given["password"] ?? "",
      directTls: given["sslnegotiation"] === "direct",
      channelBinding: this.#channelBinding(),
      target,
      sessionParameters: Object.fromEntries(Object.entries(given).filter(([name]) => !OURS.has(name))),
      connectMs: this.#connectMs(),
      execMode: this.#execMode(),
      statementsMax: this.#integer("statement_cache_capacity", STATEMENTS_MAX),
      pool: this.#pool(),
      timeoutMs: 0,
    };
  }

  /** Every host with its port, once or twice: in the clear and over TLS, as `sslmode` says. */
  #endpoints(): Endpoint[] {
    const hosts = (this.#given["host"] ?? "").split(",");
    const ports = (this.#given["port"] ?? "").split(",");
    return hosts.flatMap((host, index) => {
      const port = this.#port(ports[index] ?? ports[0] ?? "");
      return this.#tlsChoices(host).map((tls) => ({ host, port, tls }));
    });
  }

  #port(text: string): number {
    if (!/^[0-9]+$/.test(text)) {
      throw unreadable(this.#text, `invalid port (strconv.ParseUint: parsing "${text}": invalid syntax)`);
    }
    const port = Number(text);
    if (port < 1 || port > PORT_MAX) {
      const reason = port < 1 ? "outside range" : `strconv.ParseUint: parsing "${text}": value out of range`;
      throw unreadable(this.#text, `invalid port (${reason})`);
    }
    return port;
  }

  #tlsChoices(host: string): readonly (ConnectionOptions | undefined)[] {
    if (host.startsWith("/")) {
      return [undefined];
    }
    try {
      return tlsChoices(this.#given);
    } catch (error) {
      throw unreadable(this.#text, `failed to configure TLS (${(error as Error).message})`);
    }
  }

  #channelBinding(): boolean {
    const value = this.#given["channel_binding"] ?? "";
    switch (value) {
      case "":
      case "prefer":
        return true;
      case "disable":
        return false;
      case "require":
        throw new ComponentError("unsupported", "channel_binding=require is not supported yet");
      default:
        throw unreadable(this.#text, `unknown channel_binding value: ${value}`);
    }
  }

  #connectMs(): number {
    const text = this.#given["connect_timeout"];
    if (text === undefined) {
      return CONNECT_MS_MAX;
    }
    if (!INTEGER.test(text)) {
      throw unreadable(this.#text, `invalid connect_timeout (strconv.ParseInt: parsing "${text}": invalid syntax)`);
    }
    if (Number(text) < 0) {
      throw unreadable(this.#text, "invalid connect_timeout (negative timeout)");
    }
    return Number(text) === 0 ? CONNECT_MS_MAX : Number(text) * 1_000;
  }

  #execMode(): ExecMode {
    const mode = this.#given["default_query_exec_mode"] ?? "cache_statement";
    if (!isExecMode(mode)) {
      throw unreadable(this.#text, `invalid default_query_exec_mode (unknown value "${mode}")`);
    }
    return mode;
  }

  #pool(): PoolSettings {
    const connectionsMax = this.#integer("pool_max_conns", Math.max(CONNECTIONS_MAX_MIN, availableParallelism()));
    if (connectionsMax < 1) {
      throw unreadable(this.#text, "pool_max_conns too small");
    }
    return {
      connectionsMax,
      connectionsMin: this.#integer("pool_min_conns", 0),
      idleConnectionsMin: this.#integer("pool_min_idle_conns", 0),
      lifetimeMs: this.#duration("pool_max_conn_lifetime", LIFETIME_MS_MAX),
      lifetimeJitterMs: this.#duration("pool_max_conn_lifetime_jitter", 0),
      idleMs: this.#duration("pool_max_conn_idle_time", IDLE_MS_MAX),
      healthPeriodMs: this.#duration("pool_health_check_period", HEALTH_PERIOD_MS),
    };
  }

  #integer(name: string, otherwise: number): number {
    const text = this.#given[name];
    if (text === undefined) {
      return otherwise;
    }
    if (!INTEGER.test(text) || Math.abs(Number(text)) > INT32_MAX) {
      const reason = INTEGER.test(text) ? "value out of range" : "invalid syntax";
      throw unreadable(this.#text, `cannot parse ${name} (strconv.ParseInt: parsing "${text}": ${reason})`);
    }
    return Number(text);
  }

  #duration(name: string, otherwise: number): number {
    const text = this.#given[name];
    if (text === undefined) {
      return otherwise;
    }
    try {
      return parseGoDuration(text);
    } catch (error) {
      if (error instanceof InvalidDurationError) {
        throw unreadable(this.#text, `cannot parse ${name} (${error.message})`);
      }
      throw error;
    }
  }
}
