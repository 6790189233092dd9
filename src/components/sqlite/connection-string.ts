import { isAbsolute } from "node:path";
import { pathToFileURL } from "node:url";
import type { Logger } from "../../kit/logger.ts";
import type { DatabaseOptions } from "../../storage/engine.ts";
import type { MetadataField } from "../spi/component.ts";
import { ComponentError } from "../spi/errors.ts";

/** The metadata that every component on a SQLite file has, with Dapr's names and defaults. */
export const DATABASE_FIELDS = [
  {
    name: "connectionString",
    kind: "string",
    required: true,
    missingText: "missing connection string",
    aliases: ["url"],
    sensitive: true,
    description: "Path of the database file, a file: URI, or :memory:.",
  },
  {
    name: "timeout",
    kind: "duration",
    default: "20s",
    aliases: ["timeoutInSeconds"],
    description: "Longest time that one request may take; at least 1s.",
  },
  {
    name: "busyTimeout",
    kind: "duration",
    default: "2s",
    description: "How long to wait for another process that writes to the file; 0: not at all.",
  },
  {
    name: "disableWAL",
    kind: "boolean",
    default: "false",
    description:
      "For files on a network file system, where write-ahead logging is not safe. Reads and writes then wait for each other.",
  },
] as const satisfies readonly MetadataField[];

/** Pragmas that have a metadata field of their own. */
const FORBIDDEN_PRAGMAS = [
  ["busy_timeout", "; please use the `busyTimeout` metadata property instead"],
  ["journal_mode", "; please use the `disableWAL` metadata property instead"],
  ["foreign_keys", ""],
] as const;

const PRAGMA = /^[A-Za-z_]+(\s*=\s*[\w.-]+|\s*\(\s*[\w.-]+\s*\))?$/;

const TIMEOUT_MS_MIN = 1_000;

interface DatabaseMetadata {
  readonly connectionString: string;
  readonly timeout: number;
  readonly busyTimeout: number;
  readonly disableWAL: boolean;
}

/**
 * The database that a component's metadata names (components-contrib common/authentication/sqlite). Parameters of the URI
 * that concern the driver are used up here; a shared cache is never asked for, since two connections on one cache lock
 * each other's tables. A database in memory belongs to its component alone.
 * @param directory where a relative path starts; absent: where the process runs
 * @throws ComponentError `invalidMetadata`
 */
export function databaseOf(
  metadata: DatabaseMetadata,
  logger: Logger,
  directory?: string,
): Omit<DatabaseOptions, "schema"> {
  if (metadata.timeout < TIMEOUT_MS_MIN) {
    throw new ComponentError("invalidMetadata", "invalid value for 'timeout': must be greater than 1s");
  }
  const { connectionString } = metadata;
  const busyTimeoutMs = Math.max(0, Math.trunc(metadata.busyTimeout));
  const mark = connectionString.indexOf("?");
  const path = mark > 0 ? connectionString.slice(0, mark) : connectionString;
  const query = new URLSearchParams(mark > 0 ? connectionString.slice(mark + 1) : "");
  const pragmas = pragmasOf(query.getAll("_pragma"), logger);
  warnLock(query.get("_txlock"), logger);
  if (isInMemory(path) || query.get("mode") === "memory") {
    return { file: ":memory:", journal: "memory", busyTimeoutMs, pragmas };
  }
  const readOnly = query.get("mode") === "ro" || query.get("immutable") === "1";
  const rest = new URLSearchParams([...query].filter(([name]) => !name.startsWith("_") && name !== "cache")).toString();
  const uri = uriOf(path, directory);
  return {
    file: rest === "" ? uri : `${uri}?${rest}`,
    journal: metadata.disableWAL || readOnly ? "delete" : "wal",
    busyTimeoutMs,
    pragmas,
  };
}

function uriOf(path: string, directory: string | undefined): string {
  const isUri = path.toLowerCase().startsWith("file:");
  const place = isUri ? path.slice("file:".length) : path;
  if (directory === undefined || isAbsolute(place)) {
    return isUri ? path : `file:${path}`;
  }
  return `file:${pathToFileURL(`${directory}/`).pathname}${place}`;
}

/** Whether a text can be a table's name as it is. */
export function isIdentifier(text: string): boolean {
  return /^[A-Za-z0-9_]+$/.test(text);
}

function isInMemory(path: string): boolean {
  const lower = path.toLowerCase();
  return lower.startsWith(":memory:") || lower.startsWith("file::memory:");
}

function pragmasOf(asked: readonly string[], logger: Logger): string[] {
  for (const pragma of asked) {
    for (const [name, instead] of FORBIDDEN_PRAGMAS) {
      if (pragma.toLowerCase().startsWith(name)) {
        logger.error(`Cannot set \`_pragma=${name}\` option in the connection string${instead}`);
        throw new ComponentError(
          "invalidMetadata",
          `found forbidden option '_pragma=${name}' in the connection string`,
        );
      }
    }
    if (!PRAGMA.test(pragma)) {
      throw new ComponentError(
        "invalidMetadata",
        `the connection string has a pragma that cannot be read: ${JSON.stringify(pragma)}; it must be like cache_size(-8000)`,
      );
    }
  }
  return [...asked];
}

function warnLock(lock: string | null, logger: Logger): void {
  if (lock !== null && lock.toLowerCase() !== "immediate") {
    logger.warn("Database connection is being created with a _txlock different from the recommended value 'immediate'");
  }
}
