import type { Logger } from "../../kit/logger.ts";

/** A logger for something that is done again and again: a line that the last round wrote too is not repeated. */
export interface FreshLines {
  readonly logger: Logger;
  /** A new round begins. */
  begin(): void;
}

export function freshLines(logger: Logger): FreshLines {
  let last: ReadonlySet<string> = new Set();
  let current = new Set<string>();
  const wrap = (to: Logger): Logger => {
    const once =
      (write: Logger["info"]): Logger["info"] =>
      (message, fields) => {
        if (!last.has(message) && !current.has(message)) {
          write.call(to, message, fields);
        }
        current.add(message);
      };
    return {
      debug: once(to.debug),
      info: once(to.info),
      warn: once(to.warn),
      error: once(to.error),
      fatal: once(to.fatal),
      enabled: (level) => to.enabled(level),
      scope: (name) => wrap(to.scope(name)),
    };
  };
  return {
    logger: wrap(logger),
    begin() {
      last = current;
      current = new Set();
    },
  };
}
