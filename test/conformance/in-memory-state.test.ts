import { inMemoryStateManifest } from "../../src/components/in-memory/state-manifest.ts";
import { stateDeps } from "../../src/components/in-memory/state-store.fixture.ts";
import { VirtualClock } from "../../src/kit/virtual-clock.fixture.ts";
import { stateConformance } from "./state.ts";

const clock = new VirtualClock();

stateConformance({
  manifest: inMemoryStateManifest,
  deps: stateDeps(clock),
  metadata: {},
  elapse: async (ms) => clock.advance(ms),
});
