import type { Clock } from "../../kit/clock.ts";
import type { LogFields, Logger, LogLevel } from "../../kit/logger.ts";
import { jsonFormat, textFormat, type LineFormat, type LineIdentity } from "./line-format.ts";
import type { LogSink } from "./sink.ts";
import { timestampWriter, utc, type UtcOffset } from "./timestamp.ts";

const RANKS: Readonly<Record<LogLevel, number>> = { debug: 0, info: 1, warn: 2, error: 3, fatal: 4 };

export interface LoggerOptions {
  readonly appId: string;
  /** The machine's host name. */
  readonly instance: string;
  /** The runtime's version, field `ver`. */
  readonly version: string;
  /** Lines below it are not built. */
  readonly level: LogLevel;
  readonly asJson: boolean;
  readonly sink: LogSink;
  readonly clock: Clock;
  /** Dapr prints local time; UTC when absent. */
  readonly utcOffset?: UtcOffset;
  /** Scope of the first logger; `dapr.runtime` when absent. */
  readonly scope?: string;
}

/** A logger that can also be had at another level; both write to the same sink. */
export interface LeveledLogger extends Logger {
  scope(scope: string): LeveledLogger;
  withLevel(level: LogLevel): LeveledLogger;
}

/** Makes the logger of one sidecar: Dapr's line formats, one sink, no registry behind it. `fatal` does not exit. */
export function createLogger(options: LoggerOptions): LeveledLogger {
  return new LineLogger(
    options,
    options.scope ?? "dapr.runtime",
    options.level,
    timestampWriter(options.utcOffset ?? utc),
  );
}

/** The level a flag names, in any case; undefined for any other word. */
export function parseLogLevel(text: string): LogLevel | undefined {
  const level = text.toLowerCase();
  return Object.hasOwn(RANKS, level) ? (level as LogLevel) : undefined;
}

class LineLogger implements LeveledLogger {
  readonly #options: LoggerOptions;
  readonly #level: LogLevel;
  readonly #scope: string;
  readonly #rank: number;
  readonly #timestamp: (epochMs: number) => string;
  readonly #format: LineFormat;

  constructor(options: LoggerOptions, scope: string, level: LogLevel, timestamp: (epochMs: number) => string) {
    const identity: LineIdentity = {
      appId: options.appId,
      instance: options.instance,
      scope,
      version: options.version,
    };
    this.#options = options;
    this.#scope = scope;
    this.#level = level;
    this.#rank = RANKS[level];
    this.#timestamp = timestamp;
    this.#format = options.asJson ? jsonFormat(identity) : textFormat(identity);
  }

  debug(message: string, fields?: LogFields): void {
    this.#write("debug", message, fields);
  }

  info(message: string, fields?: LogFields): void {
    this.#write("info", message, fields);
  }

  warn(message: string, fields?: LogFields): void {
    this.#write("warn", message, fields);
  }

  error(message: string, fields?: LogFields): void {
    this.#write("error", message, fields);
  }

  fatal(message: string, fields?: LogFields): void {
    this.#write("fatal", message, fields);
  }

  enabled(level: LogLevel): boolean {
    return RANKS[level] >= this.#rank;
  }

  scope(scope: string): LeveledLogger {
    return new LineLogger(this.#options, scope, this.#level, this.#timestamp);
  }

  withLevel(level: LogLevel): LeveledLogger {
    return new LineLogger(this.#options, this.#scope, level, this.#timestamp);
  }

  #write(level: LogLevel, message: string, fields: LogFields | undefined): void {
    if (RANKS[level] >= this.#rank) {
      this.#options.sink.write(this.#format(level, this.#timestamp(this.#options.clock.now()), message, fields));
    }
  }
}
