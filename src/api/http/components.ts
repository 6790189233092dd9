import type { ComponentCondition, ComponentConditions } from "../../inventory/types.ts";
import { respondJson } from "./reply.ts";
import type { Route } from "./route.ts";

/** How the components are doing: our own addition to Dapr's API. */
export function componentsRoutes(components: ComponentConditions): Route[] {
  return [
    {
      methods: ["GET"],
      path: "/outrigger/v1/components",
      group: { name: "components", version: "v1" },
      name: "GetComponents",
      handler(exchange) {
        respondJson(exchange, 200, JSON.stringify({ components: components.conditions().map(conditionBody) }));
      },
    },
  ];
}

function conditionBody({
  name,
  type,
  version,
  condition,
  reason,
  sinceMs,
  retry,
  actorState,
}: ComponentCondition): unknown {
  return {
    name,
    type,
    version,
    condition,
    reason: reason === "" ? undefined : reason,
    since: new Date(sinceMs).toISOString(),
    attempts: retry?.attempts,
    nextAttempt: retry === undefined ? undefined : new Date(retry.nextAttemptMs).toISOString(),
    actorState,
  };
}
