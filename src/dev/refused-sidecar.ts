import type { UnitSidecar } from "./app-unit-types.ts";
import type { SidecarPortPlan } from "./types.ts";

/** A sidecar that does not start, since its flags cannot be. */
export function refusedSidecar(ports: SidecarPortPlan, error: unknown): UnitSidecar {
  const started = Promise.reject<void>(error instanceof Error ? error : new Error(String(error)));
  started.catch(() => undefined);
  return {
    ports,
    pid: undefined,
    started,
    ended: new Promise(() => undefined),
    attend: () => Promise.resolve(),
    appLeft: () => Promise.resolve(),
    setMetadata: () => Promise.resolve(),
    conditions: () => Promise.resolve([]),
    subscriptions: () => Promise.resolve({ programmatic: { state: "unknown" }, subscriptions: [] }),
    reload: () => Promise.resolve(undefined),
    stop: () => Promise.resolve(),
  };
}
