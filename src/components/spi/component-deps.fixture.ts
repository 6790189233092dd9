import { systemRandom } from "../../kit/random.ts";
import { silentLogger } from "../../kit/silent-logger.ts";
import { VirtualClock } from "../../kit/virtual-clock.fixture.ts";
import type { ComponentDeps } from "./component.ts";

/** What a component of the app `app` is given, on a clock that stands still; a test adds what it is about. */
export function componentDeps(facts: Partial<ComponentDeps> = {}): ComponentDeps {
  return {
    name: "component",
    appId: "app",
    namespace: "",
    logger: silentLogger,
    clock: new VirtualClock(),
    random: systemRandom,
    environment: {},
    report() {},
    shared: { acquire: (_key, create) => create() },
    ...facts,
  };
}
