import { type ActorsBlock, DisabledActors } from "../blocks/actors/actors-block.ts";
import type { ActorsOptions } from "../blocks/actors/actors-runtime.ts";
import type { Inventory } from "../inventory/types.ts";
import { PeerActors } from "../mesh/peer-actors.ts";
import type { PlacementIdentity } from "../mesh/placement-host.ts";
import { KEEPALIVE } from "../mesh/limits.ts";
import { createGrpcClient } from "../net/grpc/client.ts";
import type { SchedulerClient } from "../scheduling/types.ts";
import { controlPlaneOptions } from "../security/peer-options.ts";
import { hostAddress } from "./host-address.ts";
import type { InternalPort } from "./internal-port.ts";
import { LocalPeers, NearestActors } from "./local-peers.ts";
import { namespaceOf } from "./namespace.ts";
import type { SidecarOptions } from "./options.ts";
import type { Outgoing } from "./outgoing.ts";
import type { AssemblyPlan, Foundation } from "./plan.ts";
import type { LocalServices } from "./types.ts";

/** Bytes of one order: a table of thousands of hosts and types. */
const ORDER_BYTES_MAX = 64 * 1024 * 1024;
/** What the log says for the address of a placement service in this process. */
const IN_PROCESS = "in-process";

/** What actors stand on. */
export interface ActorsParts {
  readonly inventory: Inventory;
  readonly outgoing: Outgoing;
  readonly internalPort: InternalPort | undefined;
  readonly scheduler: SchedulerClient | undefined;
}

/**
 * Actors, set going by `start`; without an address of a placement service, and without one in this process, they only say
 * why they are not there. Only sidecars with one load what they need.
 *
 * @throws Error for a sidecar that no other sidecar can reach
 */
export async function createActors(base: Foundation, parts: ActorsParts): Promise<ActorsBlock> {
  const { options, deps } = base;
  const { addresses, disseminationTimeoutMs } = options.placement;
  if (addresses.length > 0) {
    return await actorsOfService(base, parts);
  }
  const { services } = deps;
  if (services === undefined) {
    return new DisabledActors(disseminationTimeoutMs, deps.logger);
  }
  const { LazyActors } = await import("../blocks/actors/lazy-actors.ts");
  const load = (): Promise<ActorsBlock> => localActors(base, parts, services);
  return new LazyActors({ disseminationTimeoutMs, load, logger: deps.logger });
}

/** Over a placement service that was named. */
async function actorsOfService(base: Foundation, parts: ActorsParts): Promise<ActorsBlock> {
  const { options, deps, health, identity } = base;
  const { internalPort } = parts;
  if (internalPort === undefined) {
    throw new Error(
      "actors need the internal gRPC port, by which other sidecars reach them; open it with --dapr-internal-grpc-port",
    );
  }
  const { openGrpcPlacement } = await import("../mesh/grpc-placement.ts");
  return await runningActors(base, parts, {
    ownAddress: portAddress(base, internalPort),
    placementAddresses: options.placement.addresses,
    openPlacement: (address) =>
      openGrpcPlacement(
        createGrpcClient(deps.transport, address, {
          messageBytesMax: ORDER_BYTES_MAX,
          ...controlPlaneOptions(identity, address, "dapr-placement", KEEPALIVE),
        }),
        identityOf(options),
      ),
    health: health.addTarget("internal-placement-service"),
  });
}

/** Over the placement service of this process, which is always there: health does not wait for it. */
async function localActors(base: Foundation, parts: ActorsParts, services: LocalServices): Promise<ActorsBlock> {
  const { options, deps } = base;
  const { internalPort } = parts;
  return await runningActors(base, parts, {
    ownAddress: internalPort === undefined ? LocalPeers.of(deps.shared).newAddress() : portAddress(base, internalPort),
    placementAddresses: [IN_PROCESS],
    openPlacement: await services.placement(identityOf(options)),
    health: { ready: () => deps.onPlacement?.(), notReady: () => undefined },
  });
}

async function runningActors(
  { options, deps, tracing, configuration, resiliency, metrics }: Foundation,
  { inventory, outgoing, scheduler }: ActorsParts,
  placement: Pick<ActorsOptions, "ownAddress" | "placementAddresses" | "openPlacement" | "health">,
): Promise<ActorsBlock> {
  const { RunningActors } = await import("../blocks/actors/running-actors.ts");
  const identity = identityOf(options);
  const peers = LocalPeers.of(deps.shared);
  const actors = new RunningActors({
    ...deps,
    ...identity,
    ...placement,
    disseminationTimeoutMs: options.placement.disseminationTimeoutMs,
    remote: new NearestActors(peers, new PeerActors(outgoing.mesh, identity.namespace), deps.logger),
    scheduler,
    stores: inventory.state,
    ttlEnabled: configuration.enabledFeatures.includes("ActorStateTTL"),
    resiliency,
    observer: metrics?.actors,
    tracer: tracing.blocks,
  });
  const leave = peers.join(placement.ownAddress, actors);
  const close = actors.close.bind(actors);
  actors.close = async () => {
    await close();
    leave();
  };
  return actors;
}

function identityOf(options: SidecarOptions): PlacementIdentity {
  return { appId: options.appId, namespace: namespaceOf(options) };
}

/** Where sidecars elsewhere reach this one, as Go joins host and port. */
function portAddress({ options }: AssemblyPlan, { port }: InternalPort): string {
  const host = hostAddress(options.internalListenAddress, options.hostAddress);
  return host.includes(":") && !host.startsWith("[") ? `[${host}]:${port}` : `${host}:${port}`;
}
