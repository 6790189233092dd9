import type { Clock } from "../../kit/clock.ts";
import type { Logger } from "../../kit/logger.ts";
import { systemRandom } from "../../kit/random.ts";
import type { ComponentDeps } from "../spi/component.ts";

const silent: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  fatal: () => undefined,
  enabled: () => false,
  scope: () => silent,
};

/** What a store under test is given. */
export function stateDeps(clock: Clock): ComponentDeps {
  return {
    name: "store",
    appId: "app",
    namespace: "",
    logger: silent,
    clock,
    random: systemRandom,
    environment: {},
    report() {},
    shared: { acquire: (_key, create) => create() },
  };
}
