import { silentLogger } from "../../kit/silent-logger.ts";
import { VirtualClock } from "../../kit/virtual-clock.fixture.ts";
import { type ControlBlock, createControlBlock } from "./control.ts";
import { createHealth, type HealthTarget } from "./health.ts";
import { createMetadataBlock, type MetadataSources } from "./metadata.ts";

/** What a test may steer and see around a control block. */
export interface TestControl {
  readonly control: ControlBlock;
  readonly clock: VirtualClock;
  readonly runtime: HealthTarget;
  readonly outbound: HealthTarget;
  /** `stop` and `exit`, in the order in which they were asked for. */
  readonly asked: readonly string[];
}

export const METADATA_SOURCES: MetadataSources = {
  id: "app",
  runtimeVersion: "1.18.3",
  enabledFeatures: ["HotReload"],
  httpEndpoints: () => [],
  resiliencies: () => [],
  appConnection: { port: 8080, protocol: "http", channelAddress: "127.0.0.1", maxConcurrency: 0 },
  components: () => [{ name: "store", type: "state.in-memory", version: "v1", capabilities: ["ETAG"] }],
  subscriptions: () => [],
  actors: () => ({ status: "DISABLED", active: [], hostReady: false, placement: "placement: disconnected" }),
  schedulers: () => [],
};

export function testControl(sources: Partial<MetadataSources> = {}): TestControl {
  const clock = new VirtualClock();
  const health = createHealth();
  const outboundHealth = createHealth();
  const asked: string[] = [];
  const control = createControlBlock({
    appId: "app",
    metadata: createMetadataBlock({ ...METADATA_SOURCES, ...sources }),
    health,
    outboundHealth,
    clock,
    logger: silentLogger,
    requestStop: () => void asked.push("stop"),
    forceExit: () => void asked.push("exit"),
  });
  return { control, clock, runtime: health.addTarget("runtime"), outbound: outboundHealth.addTarget("app"), asked };
}
