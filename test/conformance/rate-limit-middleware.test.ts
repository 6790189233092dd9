import { rateLimitManifest } from "../../src/components/rate-limit/manifest.ts";
import { middlewareConformance } from "./middleware.ts";

middlewareConformance({
  manifest: rateLimitManifest,
  metadata: () => ({ maxRequestsPerSecond: "50" }),
  refused: { maxRequestsPerSecond: "0" },
});
