import type { AppUnit } from "./app-unit.ts";
import type { AppPlan } from "./types.ts";

/** An app of a session as it is now. */
export interface SessionUnit {
  readonly plan: AppPlan;
  readonly unit: AppUnit;
}
