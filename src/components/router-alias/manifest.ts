import type { ComponentManifest, MetadataField } from "../spi/component.ts";
import type { HttpMiddleware } from "../spi/middleware.ts";

export const routerAliasFields = [
  {
    name: "routes",
    kind: "string",
    description:
      "JSON or YAML of an object: path to match → path to use instead. `{name}` in the path to match stands for one segment and `{name:pattern}` for what the pattern matches; such values go into the query. Without this field each field of the metadata is such a pair, which Dapr has deprecated.",
  },
] as const satisfies readonly MetadataField[];

/** `middleware.http.routeralias`: other paths for requests. */
export const routerAliasManifest: ComponentManifest<HttpMiddleware> = {
  family: "middleware",
  type: "middleware.http.routeralias",
  versions: [{ version: "v1", stability: "alpha" }],
  capabilities: [],
  metadata: routerAliasFields,
  load: async () => (await import("./middleware.ts")).createRouterAlias,
};
