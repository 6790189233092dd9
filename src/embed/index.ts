export { createRuntime, type Runtime, type RuntimeOptions } from "./create-runtime.ts";
export type {
  ActorClass,
  ActorConfig,
  ActorContext,
  ActorHandle,
  ActorInstance,
  ActorSchedule,
  ActorStateAccess,
} from "./actor-types.ts";
export { createSharedScope } from "../inventory/shared-scope.ts";
