import { oauth2Manifest } from "../../src/components/oauth2/oauth2-manifest.ts";
import { middlewareConformance } from "./middleware.ts";

middlewareConformance({
  manifest: oauth2Manifest,
  metadata: () => ({
    authURL: "https://idp.test/authorize",
    tokenURL: "https://idp.test/token",
    pathFilter: "^/secret",
  }),
  refused: { pathFilter: "(" },
  answered: { request: { target: "/secret" }, status: 302 },
});
