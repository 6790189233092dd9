import { createDeps } from "../../src/components/in-memory/pubsub.fixture.ts";
import { jwksManifest } from "../../src/components/jwks/manifest.ts";
import { CONFORMANCE_KEYS, cryptoConformance } from "./crypto.ts";

cryptoConformance({
  manifest: jwksManifest,
  deps: createDeps().deps,
  metadata: () => ({ jwks: JSON.stringify({ keys: CONFORMANCE_KEYS }) }),
});
