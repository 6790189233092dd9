import { existsSync } from "node:fs";
import { userInfo } from "node:os";
import type { ComponentDeps, ComponentMetadata } from "../spi/component.ts";
import { ComponentError } from "../spi/errors.ts";
import { decodeMetadata } from "../spi/metadata.ts";
import { type ConnectionParameters, readConnectionString } from "./connection-string.ts";
import { POSTGRESQL_FIELDS } from "./fields.ts";
import { isExecMode, ParameterReader } from "./parameter-reader.ts";
import type { ExecMode, PostgresSettings } from "./settings-types.ts";

const TIMEOUT_MS_MIN = 1_000;

/** @throws ComponentError `invalidMetadata`, or `unsupported` for ways to authenticate that this release lacks */
export function postgresSettings(
  metadata: ComponentMetadata,
  deps: Pick<ComponentDeps, "name" | "logger" | "environment">,
): PostgresSettings {
  const decoded = decodeMetadata(POSTGRESQL_FIELDS, metadata, { component: deps.name, logger: deps.logger });
  const text = decoded.connectionString ?? "";
  const { user, host, hostaddr, port, database, password, sslRootCert: sslrootcert } = decoded;
  const given = readConnectionString(text, { user, host, hostaddr, port, database, password, sslrootcert });
  if (decoded.useAzureAD || decoded.useAWSIAM) {
    const field = decoded.useAzureAD ? "useAzureAD" : "useAWSIAM";
    throw new ComponentError("unsupported", `${field} is not supported yet: use a user with a password`);
  }
  if (decoded.timeout < TIMEOUT_MS_MIN) {
    throw new ComponentError("invalidMetadata", "invalid value for 'timeout': must be greater than 1s");
  }
  const reader = new ParameterReader(text, { ...defaults(), ...fromEnvironment(deps.environment), ...given });
  const fromString = reader.settings();
  const { maxConns, connectionMaxIdleTime: idleMs = 0, queryExecMode } = decoded;
  return {
    ...fromString,
    timeoutMs: decoded.timeout,
    execMode: queryExecMode === undefined ? fromString.execMode : execMode(queryExecMode),
    pool: {
      ...fromString.pool,
      ...(maxConns > 1 ? { connectionsMax: maxConns } : {}),
      ...(idleMs > 0 ? { idleMs } : {}),
    },
  };
}

function execMode(text: string): ExecMode {
  if (isExecMode(text)) {
    return text;
  }
  throw new ComponentError("invalidMetadata", `invalid queryExecMode metadata value: ${text}`);
}

const SOCKET_FOLDERS: readonly string[] = ["/var/run/postgresql", "/private/tmp", "/tmp"];

function defaults(): ConnectionParameters {
  const host = SOCKET_FOLDERS.find((folder) => existsSync(folder)) ?? "localhost";
  return { host, port: "5432", user: userInfo().username, target_session_attrs: "any" };
}

const ENVIRONMENT: readonly (readonly [string, string])[] = [
  ["PGHOST", "host"],
  ["PGPORT", "port"],
  ["PGDATABASE", "database"],
  ["PGUSER", "user"],
  ["PGPASSWORD", "password"],
  ["PGAPPNAME", "application_name"],
  ["PGCONNECT_TIMEOUT", "connect_timeout"],
  ["PGSSLMODE", "sslmode"],
  ["PGSSLKEY", "sslkey"],
  ["PGSSLCERT", "sslcert"],
  ["PGSSLSNI", "sslsni"],
  ["PGSSLROOTCERT", "sslrootcert"],
  ["PGSSLPASSWORD", "sslpassword"],
  ["PGSSLNEGOTIATION", "sslnegotiation"],
  ["PGTARGETSESSIONATTRS", "target_session_attrs"],
  ["PGTZ", "timezone"],
  ["PGOPTIONS", "options"],
];

function fromEnvironment(environment: ComponentDeps["environment"]): ConnectionParameters {
  return Object.fromEntries(
    ENVIRONMENT.flatMap(([variable, name]) => {
      const value = environment[variable] ?? "";
      return value === "" ? [] : [[name, value]];
    }),
  );
}
