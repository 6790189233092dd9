import { InMemoryStateStore } from "../../src/components/in-memory/state-store.ts";
import { stateDeps } from "../../src/components/in-memory/state-store.fixture.ts";
import type { StateStore } from "../../src/components/spi/state.ts";
import { systemClock } from "../../src/kit/system-clock.ts";
import { VirtualClock } from "../../src/kit/virtual-clock.fixture.ts";
import { stateServices } from "../harness/pluggable/state-services.ts";
import { servedManifest } from "./pluggable.ts";
import { stateConformance } from "./state.ts";

const clock = new VirtualClock();
const behind = new InMemoryStateStore(stateDeps(clock));
await behind.init({});
const features = ["ETAG", "TRANSACTIONAL", "TTL"];

stateConformance({
  manifest: await servedManifest<StateStore>(stateServices(behind, { features }), features),
  deps: stateDeps(systemClock),
  metadata: {},
  elapse: async (ms) => clock.advance(ms),
});
