import { stateDeps } from "../../src/components/in-memory/state-store.fixture.ts";
import { localEnvManifest } from "../../src/components/local-env/manifest.ts";
import { systemClock } from "../../src/kit/system-clock.ts";
import { secretStoresConformance } from "./secretstores.ts";

secretStoresConformance({
  manifest: localEnvManifest,
  deps: {
    ...stateDeps(systemClock),
    environment: { ONE: "1", TWO: "héllo", APP_API_TOKEN: "hidden", DAPR_API_TOKEN: "hidden" },
  },
  metadata: {},
  secrets: { ONE: { ONE: "1" }, TWO: { TWO: "héllo" } },
  missing: "empty",
});
