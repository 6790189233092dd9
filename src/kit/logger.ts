export type LogLevel = "debug" | "info" | "warn" | "error" | "fatal";

/** Extra fields of a log line, printed as they are. */
export type LogFields = Readonly<Record<string, string | number | boolean>>;

/** Where log lines go. `scope` names the room that speaks, as Dapr's `scope` field does (`dapr.runtime`). */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  fatal(message: string, fields?: LogFields): void;
  /** Whether a line of that level would be written: ask before building a costly message. */
  enabled(level: LogLevel): boolean;
  /** The same sink under another scope. */
  scope(scope: string): Logger;
}
