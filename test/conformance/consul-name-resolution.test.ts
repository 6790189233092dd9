import { afterAll } from "vitest";
import { consulManifest } from "../../src/components/consul/manifest.ts";
import { createDeps } from "../../src/components/in-memory/pubsub.fixture.ts";
import { startConsulAgent } from "../harness/consul-agent.ts";
import { nameResolutionConformance } from "./name-resolution.ts";

const agent = await startConsulAgent();
afterAll(() => agent[Symbol.asyncDispose]());

nameResolutionConformance({
  manifest: consulManifest,
  deps: () => createDeps().deps,
  metadata: () => ({
    client: JSON.stringify({ address: `127.0.0.1:${agent.port}` }),
    selfRegister: "true",
    selfDeregister: "true",
  }),
});
