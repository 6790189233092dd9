import type { ConnectionOptions } from "node:tls";
import type { ConnectionParameters } from "./connection-string.ts";

/** How statements reach the server; the names are pgx's. */
export type ExecMode = "cache_statement" | "cache_describe" | "describe_exec" | "exec" | "simple_protocol";

/** One way to the server, tried in their order; `tls` undefined: in the clear. */
export interface Endpoint {
  /** Host name, IP address, or the folder of a Unix socket. */
  readonly host: string;
  readonly port: number;
  readonly tls: ConnectionOptions | undefined;
}

/** What a server must be to be used (libpq's `target_session_attrs`). */
export type SessionTarget = "any" | "read-write" | "read-only" | "primary" | "standby" | "prefer-standby";

/** How to reach a database and how to use it. Times are milliseconds. */
export interface PostgresSettings {
  readonly endpoints: readonly Endpoint[];
  readonly user: string;
  readonly database: string;
  readonly password: string;
  readonly directTls: boolean;
  readonly channelBinding: boolean;
  readonly target: SessionTarget;
  /** Settings of the session that go out with the first message (`application_name`, `search_path`, …). */
  readonly sessionParameters: ConnectionParameters;
  readonly connectMs: number;
  readonly execMode: ExecMode;
  readonly statementsMax: number;
  readonly pool: PoolSettings;
  /** To find the server at start, and for a request to get a connection. */
  readonly timeoutMs: number;
}

export interface PoolSettings {
  readonly connectionsMax: number;
  readonly connectionsMin: number;
  readonly idleConnectionsMin: number;
  readonly lifetimeMs: number;
  readonly lifetimeJitterMs: number;
  readonly idleMs: number;
  readonly healthPeriodMs: number;
}
