import type { Logger } from "../../kit/logger.ts";
import { VirtualClock } from "../../kit/virtual-clock.fixture.ts";
import type { ComponentDeps, SharedScope } from "../spi/component.ts";
import { componentDeps } from "../spi/component-deps.fixture.ts";

/** A scope as a composition root makes it. */
export function createScope(): SharedScope {
  const values = new Map<string, unknown>();
  return {
    acquire<T>(key: string, create: () => T): T {
      if (!values.has(key)) {
        values.set(key, create());
      }
      return values.get(key) as T;
    },
  };
}

/** What a broker under test is given, the clock to move and the errors it logged. */
export function createDeps(rest: Partial<ComponentDeps> = {}): {
  deps: ComponentDeps;
  clock: VirtualClock;
  errors: string[];
} {
  const errors: string[] = [];
  const clock = new VirtualClock();
  const logger: Logger = {
    debug: () => undefined,
    info: () => undefined,
    warn: () => undefined,
    error: (message) => void errors.push(message),
    fatal: () => undefined,
    enabled: () => false,
    scope: () => logger,
  };
  return { deps: componentDeps({ name: "broker", logger, clock, shared: createScope(), ...rest }), clock, errors };
}
