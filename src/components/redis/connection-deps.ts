import type { ComponentDeps } from "../spi/component.ts";

/**
 * For components with several connections: gives each connection deps of its own, so that the component reports
 * `degraded` as long as any of them does.
 */
export function connectionDeps(deps: ComponentDeps): () => ComponentDeps {
  const lost = new Map<object, string>();
  return () => {
    const connection = {};
    return {
      ...deps,
      report(condition, reason = "") {
        if (condition === "ready") {
          lost.delete(connection);
        } else {
          lost.set(connection, reason);
        }
        const [first] = lost.values();
        if (first === undefined) {
          deps.report("ready");
        } else {
          deps.report("degraded", first);
        }
      },
    };
  };
}
