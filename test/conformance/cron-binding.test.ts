import { cronManifest } from "../../src/components/cron/manifest.ts";
import { stateDeps } from "../../src/components/in-memory/state-store.fixture.ts";
import { VirtualClock } from "../../src/kit/virtual-clock.fixture.ts";
import { bindingsConformance } from "./bindings.ts";

const clock = new VirtualClock();

bindingsConformance({
  manifest: cronManifest,
  deps: stateDeps(clock),
  metadata: { schedule: "@every 1s" },
  provoke: async () => clock.advance(1_000),
});
