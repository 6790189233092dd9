import type { Logger } from "../kit/logger.ts";
import type { LineConsole } from "./types.ts";

/** Says warnings and errors of what belongs to no app as the session's own words; the rest nobody asked for. */
export function consoleLogger(console: LineConsole): Logger {
  const nothing = (): void => undefined;
  const logger: Logger = {
    debug: nothing,
    info: nothing,
    warn: (message) => console.say("warn", undefined, message),
    error: (message) => console.say("error", undefined, message),
    fatal: (message) => console.say("error", undefined, message),
    enabled: (level) => level !== "debug" && level !== "info",
    scope: () => logger,
  };
  return logger;
}
