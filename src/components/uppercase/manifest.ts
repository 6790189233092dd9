import type { ComponentManifest, MetadataField } from "../spi/component.ts";
import type { HttpMiddleware } from "../spi/middleware.ts";

export const uppercaseFields = [
  {
    name: "direction",
    kind: "string",
    default: "request",
    description: "Which bodies are changed: `request`, `response` or `both`; anything else means `request`.",
  },
] as const satisfies readonly MetadataField[];

/** `middleware.http.uppercase`: bodies in capitals, to see a pipeline at work. */
export const uppercaseManifest: ComponentManifest<HttpMiddleware> = {
  family: "middleware",
  type: "middleware.http.uppercase",
  versions: [{ version: "v1", stability: "stable" }],
  capabilities: [],
  metadata: uppercaseFields,
  load: async () => (await import("./middleware.ts")).createUppercase,
};
