import type { ComponentManifest, MetadataField } from "../spi/component.ts";
import type { HttpMiddleware } from "../spi/middleware.ts";

export const sentinelFields = [
  {
    name: "appName",
    kind: "string",
    description: "Dapr's field for the name in Sentinel's own log files, which are not written here.",
  },
  { name: "logDir", kind: "string", description: "Dapr's field for the folder of those files." },
  {
    name: "flowRules",
    kind: "string",
    description:
      "JSON array: how often a resource (`GET:/path`) may be asked for, and whether more is refused or spread out in time.",
  },
  {
    name: "circuitBreakerRules",
    kind: "string",
    description:
      "JSON array: for how long a resource is refused after too many slow or failed answers (status 500 or more).",
  },
  {
    name: "hotSpotParamRules",
    kind: "string",
    description: "JSON array, only checked: requests carry no parameters that such rules could count, here as in Dapr.",
  },
  {
    name: "isolationRules",
    kind: "string",
    description: "JSON array: how many requests a resource may have at a time.",
  },
  {
    name: "systemRules",
    kind: "string",
    description:
      "JSON array: limits for all requests together: rate, concurrency, average time, and the load of the host. CPU usage (metricType 4) is refused.",
  },
] as const satisfies readonly MetadataField[];

/** `middleware.http.sentinel`: rules of Sentinel (https://sentinelguard.io) about how much is let through. */
export const sentinelManifest: ComponentManifest<HttpMiddleware> = {
  family: "middleware",
  type: "middleware.http.sentinel",
  versions: [{ version: "v1", stability: "alpha" }],
  capabilities: [],
  metadata: sentinelFields,
  load: async () => (await import("./middleware.ts")).createSentinel,
};
