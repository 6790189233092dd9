import type { ComponentManifest, MetadataField } from "../spi/component.ts";
import type { HttpMiddleware } from "../spi/middleware.ts";

export const rateLimitFields = [
  {
    name: "maxRequestsPerSecond",
    kind: "number",
    default: "100",
    description:
      "Requests a second that each caller may make of each path, and how many at once; callers are told apart by X-Forwarded-For, X-Real-IP or their address, IPv6 ones by their /64 network.",
  },
] as const satisfies readonly MetadataField[];

/** `middleware.http.ratelimit`: so many requests a second from each address. */
export const rateLimitManifest: ComponentManifest<HttpMiddleware> = {
  family: "middleware",
  type: "middleware.http.ratelimit",
  versions: [{ version: "v1", stability: "stable" }],
  capabilities: [],
  metadata: rateLimitFields,
  load: async () => (await import("./middleware.ts")).createRateLimit,
};
