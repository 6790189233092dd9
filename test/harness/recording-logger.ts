import type { Logger, LogLevel } from "../../src/kit/logger.ts";

/** A log line as a test looks at it. */
export interface LogLine {
  readonly level: LogLevel;
  readonly message: string;
}

/** A logger whose lines are kept. */
export interface RecordingLogger extends Logger {
  readonly lines: readonly LogLine[];
  /** Whether a line holds the text. */
  said(text: string): boolean;
}

export function recordingLogger(): RecordingLogger {
  const lines: LogLine[] = [];
  const keep =
    (level: LogLevel) =>
    (message: string): void =>
      void lines.push({ level, message });
  const logger: RecordingLogger = {
    lines,
    said: (text) => lines.some((line) => line.message.includes(text)),
    debug: keep("debug"),
    info: keep("info"),
    warn: keep("warn"),
    error: keep("error"),
    fatal: keep("fatal"),
    enabled: () => true,
    scope: () => logger,
  };
  return logger;
}
