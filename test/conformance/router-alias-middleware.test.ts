import { routerAliasManifest } from "../../src/components/router-alias/manifest.ts";
import { middlewareConformance } from "./middleware.ts";

middlewareConformance({
  manifest: routerAliasManifest,
  metadata: () => ({ routes: '{"/v1.0/invoke/{app}/method/m":"/else"}' }),
  refused: { routes: "[]" },
});
