export { createRuntime, type Runtime, type RuntimeOptions } from "./create-runtime.ts";
export { createSharedScope } from "../inventory/shared-scope.ts";
