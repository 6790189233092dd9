import { create } from "@bufbuild/protobuf";
import { EmptySchema } from "@bufbuild/protobuf/wkt";
import type { ActorCall, ActorReply } from "../../app/actor-host.ts";
import type { ActorsBlock } from "../../blocks/actors/actors-block.ts";
import { canonicalMethod, InvalidMethodError } from "../../blocks/invocation/method-path.ts";
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
const DOT_SEGMENT = /(?:^|\/)\.{1,2}(?:\/|$)/;

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
    checkPaths(reminder.actorType, reminder.actorId);
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
  checkPaths(actor.type, actor.id);
  const body = data ?? NO_BYTES;
  return { ...actor, method: methodOf(method), verb, query, headers, trace, contentType, body, signal: cancellation };
}

/** Peers may be anybody with a certificate, and an app that speaks HTTP finds all of it in a path. @throws ApiError */
function checkPaths(type: string, id: string): void {
  if (DOT_SEGMENT.test(`${type}/${id}`)) {
    throw apiError(invocationErrors.internalRequest, { reason: "the actor's type or id leads out of its paths" });
  }
}

/** @throws ApiError for a method that no app may be called with */
function methodOf(method: string): string {
  try {
    return canonicalMethod(method);
  } catch (error) {
    throw error instanceof InvalidMethodError
      ? apiError(invocationErrors.invalidMethod, { reason: error.message }, { cause: error })
      : error;
  }
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
