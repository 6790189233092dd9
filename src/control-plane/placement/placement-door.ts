import { create } from "@bufbuild/protobuf";
import { GRPC_STATUS } from "../../errors/grpc-status.ts";
import type { Logger } from "../../kit/logger.ts";
import { methodOf } from "../../net/grpc/protobuf.ts";
import { GrpcServer } from "../../net/grpc/server.ts";
import { GrpcError } from "../../net/grpc/status.ts";
import type { GrpcMethod, ServerCall } from "../../net/grpc/types.ts";
import {
  type Host,
  HostOperation,
  HostSchema,
  Placement,
} from "../../wire/gen/dapr/proto/placement/v1/placement_pb.js";
import {
  type HostMessage,
  Placement as PeerPlacement,
  type Report,
} from "../../wire/gen/outrigger/placement/v1/placement_pb.js";
import { addAbout } from "../shared/about-service.ts";
import { checkCaller } from "./host-rules.ts";
import { TABLE_BYTES_MAX } from "./limits.ts";
import { OrderCodec } from "./order-codec.ts";
import { OrderQueue, PeerOrderQueue } from "./order-queue.ts";
import { basedOn, type PeerMessage, PeerOrderCodec } from "./peer-order-codec.ts";
import type { PlacementService } from "./placement-service.ts";
import type { HostStream, Order, PeerReport, PeerStream } from "./types.ts";

export interface PlacementDoorOptions {
  readonly service: PlacementService;
  /** Why streams are refused now; undefined while this member leads. */
  readonly refusal: () => GrpcError | undefined;
  readonly logger: Logger;
}

/** Dapr's `Placement` service over gRPC. */
export function createPlacementServer(options: PlacementDoorOptions): GrpcServer {
  const codec = new OrderCodec(({ version, entries }, bytes) => {
    options.logger.error(
      `the table of version ${version} with ${entries.size} actor types has ${bytes} bytes, and sidecars take at most ${TABLE_BYTES_MAX}; ` +
        "spread the apps over several namespaces",
    );
  });
  const method: GrpcMethod<Host, Order> & { readonly kind: "bidi_streaming" } = {
    ...methodOf(Placement.method.reportDaprStatus),
    encodeResponse: (order) => codec.encode(order),
    decodeResponse: () => {
      throw new GrpcError(GRPC_STATUS.UNIMPLEMENTED, "orders are only sent here");
    },
  };
  const server = new GrpcServer();
  addPeers(server, options);
  addAbout(server);
  server.add(method, (hosts, call) => {
    const refusal = options.refusal();
    if (refusal !== undefined) {
      throw refusal;
    }
    const queue = new OrderQueue();
    void serve(options, hosts, queue, call);
    return queue;
  });
  return server;
}

/** The protocol of our own sidecars. */
function addPeers(server: GrpcServer, options: PlacementDoorOptions): void {
  const codec = new PeerOrderCodec();
  const method: GrpcMethod<HostMessage, PeerMessage> & { readonly kind: "bidi_streaming" } = {
    ...methodOf(PeerPlacement.method.follow),
    encodeResponse: (message) => codec.encode(message),
    decodeResponse: () => {
      throw new GrpcError(GRPC_STATUS.UNIMPLEMENTED, "orders are only sent here");
    },
  };
  server.add(method, (messages, call) => {
    const refusal = options.refusal();
    if (refusal !== undefined) {
      throw refusal;
    }
    const queue = new PeerOrderQueue();
    void servePeer(options, messages, queue, call);
    return basedOn(queue);
  });
}

/** Reads the stream of one of our sidecars to its end, whoever ends it. Never rejects. */
async function servePeer(
  { service, refusal, logger }: PlacementDoorOptions,
  messages: AsyncIterable<HostMessage>,
  queue: PeerOrderQueue,
  call: ServerCall,
): Promise<void> {
  let stream: PeerStream | undefined;
  try {
    for await (const { message } of messages) {
      const refused = refusal();
      if (refused !== undefined) {
        throw refused;
      }
      if (message.case === "report") {
        checkCaller({ id: message.value.appId, namespace: message.value.namespace }, call.peerId);
      }
      if (stream !== undefined) {
        hear(stream, message);
      } else if (message.case === "report") {
        const report = peerReport(message.value);
        stream = service.openPeer(report, queue);
        const { namespace, id, name } = report.host;
        logger.info(`Received placement stream from namespace=${namespace} id=${id} host=${name}`);
      } else {
        throw new GrpcError(GRPC_STATUS.INVALID_ARGUMENT, "a placement stream begins with a report");
      }
    }
  } catch (error) {
    const known = GrpcError.is(error) ? error : new GrpcError(GRPC_STATUS.INTERNAL, String(error), { cause: error });
    logger.info(`Closing connection to ${call.remoteAddress}: ${known.message}`);
    queue.end(known);
  } finally {
    stream?.lost();
    queue.end();
  }
}

function hear(stream: PeerStream, message: HostMessage["message"]): void {
  switch (message.case) {
    case "report": {
      const { host, askedMs } = peerReport(message.value);
      stream.report(host, askedMs);
      return;
    }
    case "applied":
      stream.applied(Number(message.value));
      return;
    case "lease":
      stream.askLease(Number(message.value));
      return;
    case "leave":
      stream.leave();
      return;
    case undefined:
      throw new GrpcError(GRPC_STATUS.INVALID_ARGUMENT, "a message of a placement stream has no content");
  }
}

function peerReport({ appId, namespace, address, types, incarnation, held, asked }: Report): PeerReport {
  return {
    host: create(HostSchema, { name: address, id: appId, namespace, entities: types, operation: HostOperation.REPORT }),
    incarnation,
    held: held === undefined ? undefined : { version: Number(held.version), hosts: held.hosts },
    askedMs: Number(asked),
  };
}

/** Reads one sidecar's stream to its end, whoever ends it. Never rejects. */
async function serve(
  { service, refusal, logger }: PlacementDoorOptions,
  hosts: AsyncIterable<Host>,
  queue: OrderQueue,
  call: ServerCall,
): Promise<void> {
  let stream: HostStream | undefined;
  try {
    for await (const host of hosts) {
      // A process that was stopped wakes up as a leader whose time is over.
      const refused = refusal();
      if (refused !== undefined) {
        throw refused;
      }
      checkCaller(host, call.peerId);
      if (stream === undefined) {
        stream = service.open(host, queue);
        logger.info(
          `Received status report connection from new namespace=${host.namespace} id=${host.id} host=${host.name}`,
        );
      } else {
        stream.report(host);
      }
    }
    queue.end();
  } catch (error) {
    const known = GrpcError.is(error) ? error : new GrpcError(GRPC_STATUS.INTERNAL, String(error), { cause: error });
    logger.info(`Closing connection to ${call.remoteAddress}: ${known.message}`);
    queue.end(known);
  } finally {
    stream?.close();
  }
}
