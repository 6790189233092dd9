import { stateDeps } from "../../src/components/in-memory/state-store.fixture.ts";
import type { Binding } from "../../src/components/spi/bindings.ts";
import { systemClock } from "../../src/kit/system-clock.ts";
import { inputBinding, outputBinding } from "../harness/pluggable/binding-services.ts";
import { bindingsConformance } from "./bindings.ts";
import { servedManifest } from "./pluggable.ts";

const input = inputBinding();

bindingsConformance({
  manifest: await servedManifest<Binding>([input.service, outputBinding()], ["INPUT_BINDING", "OUTPUT_BINDING"]),
  deps: stateDeps(systemClock),
  metadata: {},
  object: (name) => ({ name }),
  provoke: async () => input.send("an event"),
});
