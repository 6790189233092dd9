import { httpBindingManifest } from "../../src/components/http-binding/manifest.ts";
import { stateDeps } from "../../src/components/in-memory/state-store.fixture.ts";
import { systemClock } from "../../src/kit/system-clock.ts";
import { bindingsConformance } from "./bindings.ts";

bindingsConformance({
  manifest: httpBindingManifest,
  deps: stateDeps(systemClock),
  metadata: { url: "http://127.0.0.1:1" },
});
