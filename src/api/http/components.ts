import type { ComponentCondition, ComponentConditions, ReloadState } from "../../inventory/types.ts";
import { respondJson } from "./reply.ts";
import type { Route } from "./route.ts";

/** How the components are doing, and that their files are read again: our own additions to Dapr's API. */
export function componentsRoutes(components: ComponentConditions): Route[] {
  return [
    {
      methods: ["GET"],
      path: "/outrigger/v1/components",
      group: { name: "components", version: "v1" },
      name: "GetComponents",
      handler(exchange) {
        const body = {
          components: components.conditions().map(conditionBody),
          reload: reloadBody(components.reload?.()),
        };
        respondJson(exchange, 200, JSON.stringify(body));
      },
    },
    {
      methods: ["POST"],
      path: "/outrigger/v1/reload",
      group: { name: "components", version: "v1" },
      name: "ReloadResources",
      async handler(exchange) {
        const reload = reloadBody(await components.reloadNow?.());
        respondJson(exchange, 200, JSON.stringify({ reload }));
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
  rejected,
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
    rejectedChange:
      rejected === undefined ? undefined : { reason: rejected.reason, since: new Date(rejected.sinceMs).toISOString() },
  };
}

function reloadBody(state: ReloadState | undefined): unknown {
  return (
    state && {
      rounds: state.rounds,
      changes: state.changes,
      lastChange: state.lastChangeMs === undefined ? undefined : new Date(state.lastChangeMs).toISOString(),
      changed: state.changed,
      problems: state.problems,
    }
  );
}
