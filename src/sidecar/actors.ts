import { type ActorsBlock, DisabledActors } from "../blocks/actors/actors-block.ts";
import type { Inventory } from "../inventory/types.ts";
import { PeerActors } from "../mesh/peer-actors.ts";
import { createGrpcClient } from "../net/grpc/client.ts";
import type { Resiliency } from "../resiliency/types.ts";
import type { Configuration } from "../resources/configuration.ts";
import type { Scheduler } from "../scheduling/scheduler.ts";
import type { RuntimeMetrics } from "../telemetry/metrics/runtime-metrics.ts";
import { hostAddress } from "./host-address.ts";
import type { InternalPort } from "./internal-port.ts";
import { namespaceOf } from "./namespace.ts";
import type { Outgoing } from "./outgoing.ts";
import type { AssemblyPlan } from "./plan.ts";

/** Bytes of one order: a table of thousands of hosts and types. */
const ORDER_BYTES_MAX = 64 * 1024 * 1024;
/** Milliseconds of silence before a placement service is asked whether it is there, and for its answer. */
const KEEPALIVE_MS = 10_000;
const KEEPALIVE_TIMEOUT_MS = 5_000;

/** What actors stand on. */
export interface ActorsParts {
  readonly configuration: Configuration;
  readonly inventory: Inventory;
  readonly outgoing: Outgoing;
  readonly resiliency: Resiliency;
  readonly metrics: RuntimeMetrics | undefined;
  readonly internalPort: InternalPort | undefined;
  readonly scheduler: Scheduler | undefined;
}

/**
 * Actors, set going by `start`; without an address of a placement service they only say why they are not there. Only
 * sidecars with one load what they need.
 *
 * @throws Error for a sidecar that no other sidecar can reach
 */
export async function createActors(
  { options, deps, health }: AssemblyPlan,
  { configuration, inventory, outgoing, resiliency, metrics, internalPort, scheduler }: ActorsParts,
): Promise<ActorsBlock> {
  const { addresses, disseminationTimeoutMs } = options.placement;
  if (addresses.length === 0) {
    return new DisabledActors(disseminationTimeoutMs, deps.logger);
  }
  if (internalPort === undefined) {
    throw new Error(
      "actors need the internal gRPC port, by which other sidecars reach them; open it with --dapr-internal-grpc-port",
    );
  }
  const [{ RunningActors }, { openGrpcPlacement }] = await Promise.all([
    import("../blocks/actors/running-actors.ts"),
    import("../mesh/grpc-placement.ts"),
  ]);
  const identity = { appId: options.appId, namespace: namespaceOf(options) };
  const host = hostAddress(options.internalListenAddress, options.hostAddress);
  return new RunningActors({
    ...deps,
    ...identity,
    ownAddress: joined(host, internalPort.port),
    placementAddresses: addresses,
    disseminationTimeoutMs,
    openPlacement: (address) =>
      openGrpcPlacement(
        createGrpcClient(deps.transport, address, {
          messageBytesMax: ORDER_BYTES_MAX,
          transport: { keepaliveMs: KEEPALIVE_MS, keepaliveTimeoutMs: KEEPALIVE_TIMEOUT_MS },
        }),
        identity,
      ),
    remote: new PeerActors(outgoing.mesh, identity.namespace),
    scheduler,
    stores: inventory.state,
    ttlEnabled: configuration.enabledFeatures.includes("ActorStateTTL"),
    resiliency,
    health: health.addTarget("internal-placement-service"),
    observer: metrics?.actors,
  });
}

/** As Go joins them. */
function joined(host: string, port: number): string {
  return host.includes(":") && !host.startsWith("[") ? `[${host}]:${port}` : `${host}:${port}`;
}
