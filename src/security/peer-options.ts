import type { GrpcClientOptions } from "../net/grpc/client.ts";
import type { TransportClientOptions } from "../net/h2/transport.ts";
import type { WorkloadIdentity } from "./identity.ts";
import type { ExpectedPeer } from "./peer-certificate.ts";

type PeerOptions = Pick<GrpcClientOptions, "scheme" | "transport">;

/** The options by which a gRPC client speaks to a peer: mutual TLS where there is an identity, else plain text. */
export function peerOptions(
  identity: WorkloadIdentity | undefined,
  address: string,
  expected: ExpectedPeer,
  transport: TransportClientOptions,
): PeerOptions {
  if (identity === undefined) {
    return { transport };
  }
  const { scheme, connect } = identity.clientTls(address, expected);
  return { scheme, transport: { ...transport, connect } };
}

/** The same to a service of the control plane, whose whole id is known. */
export function controlPlaneOptions(
  identity: WorkloadIdentity | undefined,
  address: string,
  appId: ControlPlaneService,
  transport: TransportClientOptions,
): PeerOptions {
  return identity === undefined
    ? { transport }
    : peerOptions(identity, address, controlPlanePeer(identity, appId), transport);
}

/** The services that sidecars and each other know by their ids. */
export type ControlPlaneService = "dapr-placement" | "dapr-scheduler";

export function controlPlanePeer({ controlPlane }: WorkloadIdentity, appId: ControlPlaneService): ExpectedPeer {
  return { ...controlPlane, appId };
}
