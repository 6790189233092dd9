import { create } from "@bufbuild/protobuf";
import { EmptySchema } from "@bufbuild/protobuf/wkt";
import type { ActorCall, ActorReply } from "../../app/actor-host.ts";
import type { ActorsBlock } from "../../blocks/actors/actors-block.ts";
import { invocationErrors } from "../../errors/catalogue/invocation.ts";
import { apiError } from "../../errors/error.ts";
import type { RequestHead, ResponseHead } from "../../mesh/messages.ts";
import { callActorReminder, tickOf } from "../../mesh/reminder-message.ts";
import { callActor } from "../../mesh/service-invocation.ts";
import type { GrpcServer } from "../../net/grpc/server.ts";
import type { ServerCall } from "../../net/grpc/types.ts";
import { describeActorCall } from "../span-attributes.ts";
import { actorStatus } from "../grpc/actor-status.ts";

const NO_BYTES = new Uint8Array(0);

/** Registers `CallActor` and `CallActorReminder` of `dapr.proto.internals.v1.ServiceInvocation` on the internal port. */
export function addPeerActors(server: GrpcServer, actors: ActorsBlock): void {
  server.add(callActor, async (request, call) => {
    try {
      return headOf(await actors.callFromPeer(callOf(request, call)));
    } catch (error) {
      throw actorStatus(error);
    }
  });
  server.add(callActorReminder, async (reminder, call) => {
    try {
      await actors.fireFromPeer({ ...tickOf(reminder), trace: call.trace, signal: call.cancellation });
    } catch (error) {
      throw actorStatus(error);
    }
    return create(EmptySchema);
  });
}

function callOf(request: RequestHead, { trace, cancellation }: ServerCall): ActorCall {
  const { actor, method, verb, query, headers, contentType, data } = request;
  if (!request.hasMessage || actor === undefined) {
    throw apiError(invocationErrors.internalRequest, {
      reason: actor === undefined ? "field Actor is nil" : "field Message is nil",
    });
  }
  if (trace?.recording === true) {
    describeActorCall(trace, actor.type, actor.id, method);
  }
  const body = data ?? NO_BYTES;
  return { ...actor, method, verb, query, headers, trace, contentType, body, signal: cancellation };
}

function headOf({ status, headers, contentType, body }: ActorReply): ResponseHead {
  return {
    status: { code: status.code, message: "", detailsBin: undefined },
    headers,
    trailers: [],
    contentType,
    typeUrl: "",
    data: body,
    hasMessage: true,
  };
}
