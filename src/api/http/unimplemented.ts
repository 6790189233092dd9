import { commonErrors } from "../../errors/catalogue/common.ts";
import { apiError } from "../../errors/error.ts";
import type { Route } from "./route.ts";

/** APIs of Dapr that this release does not have, by their path. */
const PREFIXES: readonly string[] = ["/v1.0/workflows", "/v1.0-alpha1/workflows", "/v1.0-beta1/workflows"];

/** Says 501 for them, where the fallback would take them for service invocations without a target. */
export function unimplementedRoutes(): Route[] {
  return PREFIXES.map((prefix) => ({
    methods: ["*"],
    path: `${prefix}/*`,
    group: { name: prefix.split("/")[2] ?? "", version: "v1" },
    name: "Unimplemented",
    handler() {
      throw apiError(commonErrors.unimplemented, {});
    },
  }));
}
