import { routerCheckerManifest } from "../../src/components/router-checker/manifest.ts";
import { middlewareConformance } from "./middleware.ts";

middlewareConformance({
  manifest: routerCheckerManifest,
  metadata: () => ({ rule: "^/v1.0/" }),
  refused: { rule: "(" },
  answered: { request: { target: "/v2.0/" }, status: 400 },
});
