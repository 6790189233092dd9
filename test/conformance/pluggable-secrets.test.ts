import { stateDeps } from "../../src/components/in-memory/state-store.fixture.ts";
import type { SecretStore } from "../../src/components/spi/secret-store.ts";
import { systemClock } from "../../src/kit/system-clock.ts";
import { secretService } from "../harness/pluggable/secret-service.ts";
import { servedManifest } from "./pluggable.ts";
import { secretStoresConformance } from "./secretstores.ts";

const secrets = { plain: { plain: "one" }, redis: { password: "héllo", user: "u" } };
const features = ["MULTIPLE_KEY_VALUES_PER_SECRET"];

secretStoresConformance({
  manifest: await servedManifest<SecretStore>([secretService(secrets, features)], features),
  deps: stateDeps(systemClock),
  metadata: {},
  secrets,
  missing: { error: (name) => `rpc error: code = NotFound desc = no secret ${name}` },
});
