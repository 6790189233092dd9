import type { UnitEvent } from "./app-unit-types.ts";
import type { AppPlan } from "./types.ts";

/** Tells a person what happens in a session; each command has its own words. */
export interface SessionVoice {
  /** Something happened to an app or its sidecar. */
  tell(app: AppPlan, event: UnitEvent): void;
}
