import { GRPC_STATUS } from "../../errors/grpc-status.ts";
import type { SpiffeId } from "../../kit/spiffe-id.ts";
import { GrpcError } from "../../net/grpc/status.ts";
import { type Host, HostOperation } from "../../wire/gen/dapr/proto/placement/v1/placement_pb.js";
import { ENTITIES_PER_HOST_MAX } from "./limits.ts";
import type { PeerReport } from "./types.ts";

/** Actor types of the runtime itself are `dapr.internal.<namespace>.<app id>.…`. */
const INTERNAL_PREFIX = ["dapr", "internal"] as const;

/** What a message must keep, in the words of Dapr's `pkg/placement/internal/authorizer`. @throws GrpcError */
export function checkHost(host: Host): void {
  if (host.operation === HostOperation.UNKNOWN && host.version !== undefined) {
    throw invalid("both operation and version must be set or both must be unset");
  }
  if (host.id === "" || host.namespace === "") {
    throw invalid("host ID and namespace must be provided");
  }
  if (host.entities.length > ENTITIES_PER_HOST_MAX) {
    throw new GrpcError(
      GRPC_STATUS.RESOURCE_EXHAUSTED,
      `app ID ${host.id} reports ${host.entities.length} actor types, the limit is ${ENTITIES_PER_HOST_MAX}; host them in several apps`,
    );
  }
  for (const entity of host.entities) {
    checkEntity(entity, host);
  }
}

/**
 * Under mutual TLS a sidecar reports for nobody but itself. What is missing in the report is `checkHost`'s to say.
 *
 * @throws GrpcError in Dapr's words
 */
export function checkCaller({ id, namespace }: Pick<Host, "id" | "namespace">, caller: SpiffeId | undefined): void {
  if (caller === undefined || id === "" || namespace === "") {
    return;
  }
  if (id !== caller.appId) {
    throw denied(`provided app ID ${id} doesn't match the one in the SPIFFE ID (${caller.appId})`);
  }
  if (namespace !== caller.namespace) {
    throw denied(`provided client namespace ${namespace} doesn't match the one in the SPIFFE ID (${caller.namespace})`);
  }
}

/** A stream belongs to the namespace of its first message. @throws GrpcError */
export function checkSameNamespace(host: Host, namespace: string): void {
  if (host.namespace !== namespace) {
    throw invalid(`the namespace of a stream cannot change from ${namespace} to ${host.namespace}`);
  }
}

/** Sidecars of ours are told apart by their addresses, and their periods by names. @throws GrpcError */
export function checkPeer({ host, incarnation }: PeerReport): void {
  checkHost(host);
  if (host.name === "" || incarnation === "") {
    throw invalid("address and incarnation must be provided");
  }
}

/** Sidecars of ours are known by their address. @throws GrpcError */
export function checkSameAddress(host: Host, address: string): void {
  if (host.name !== address) {
    throw invalid(`the address of a stream cannot change from ${address} to ${host.name}`);
  }
}

function checkEntity(entity: string, { id, namespace }: Host): void {
  if (!entity.startsWith("dapr.")) {
    return;
  }
  const [first, second, ofNamespace, ofApp] = entity.split(".");
  const internal = first === INTERNAL_PREFIX[0] && second === INTERNAL_PREFIX[1];
  if (internal && (ofNamespace !== namespace || ofApp !== id)) {
    throw denied(`entity ${entity} is not allowed for app ID ${id} in namespace ${namespace}`);
  }
}

function denied(message: string): GrpcError {
  return new GrpcError(GRPC_STATUS.PERMISSION_DENIED, message);
}

function invalid(message: string): GrpcError {
  return new GrpcError(GRPC_STATUS.INVALID_ARGUMENT, message);
}
