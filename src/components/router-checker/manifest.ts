import type { ComponentManifest, MetadataField } from "../spi/component.ts";
import type { HttpMiddleware } from "../spi/middleware.ts";

export const routerCheckerFields = [
  {
    name: "rule",
    kind: "string",
    default: "",
    description:
      "Pattern (Go's syntax) that path and query, as they came, must match somewhere; other requests are answered with 400. Empty lets all pass.",
  },
] as const satisfies readonly MetadataField[];

/** `middleware.http.routerchecker`: refuses requests whose path and query do not match a pattern. */
export const routerCheckerManifest: ComponentManifest<HttpMiddleware> = {
  family: "middleware",
  type: "middleware.http.routerchecker",
  versions: [{ version: "v1", stability: "alpha" }],
  capabilities: [],
  metadata: routerCheckerFields,
  load: async () => (await import("./middleware.ts")).createRouterChecker,
};
