import type { Logger } from "./logger.ts";

/** Writes nothing. */
export const silentLogger: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  fatal: () => undefined,
  enabled: () => false,
  scope: () => silentLogger,
};
