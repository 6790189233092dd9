import { sentinelManifest } from "../../src/components/sentinel/manifest.ts";
import { middlewareConformance } from "./middleware.ts";

const resource = "POST:/v1.0/invoke/app/method/m";

middlewareConformance({
  manifest: sentinelManifest,
  metadata: () => ({
    flowRules: JSON.stringify([
      { resource, threshold: 50 },
      { resource: "POST:/never", threshold: 0 },
    ]),
    isolationRules: JSON.stringify([{ resource, threshold: 50 }]),
  }),
  refused: { flowRules: "{}" },
  answered: { request: { target: "/never" }, status: 429 },
});
