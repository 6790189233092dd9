import type { GrpcMethod } from "../net/grpc/types.ts";
import type { RequestHead, ResponseHead, StreamMessage } from "./messages.ts";
import { requestCodec } from "./request-codec.ts";
import { responseCodec } from "./response-codec.ts";

const SERVICE = "/dapr.proto.internals.v1.ServiceInvocation/";

/** A call with whole bodies; what sidecars before streaming spoke, and the fallback. */
export const callLocal: GrpcMethod<RequestHead, ResponseHead> & { readonly kind: "unary" } = {
  path: `${SERVICE}CallLocal`,
  kind: "unary",
  encodeRequest: requestCodec.encode,
  decodeRequest: requestCodec.decode,
  encodeResponse: responseCodec.encode,
  decodeResponse: responseCodec.decode,
};

/** A call of an actor, to the sidecar that owns it. */
export const callActor: typeof callLocal = { ...callLocal, path: `${SERVICE}CallActor` };

/** A call whose bodies travel in numbered pieces. */
export const callLocalStream: GrpcMethod<StreamMessage<RequestHead>, StreamMessage<ResponseHead>> & {
  readonly kind: "bidi_streaming";
} = {
  path: `${SERVICE}CallLocalStream`,
  kind: "bidi_streaming",
  encodeRequest: requestCodec.encodeStream,
  decodeRequest: requestCodec.decodeStream,
  encodeResponse: responseCodec.encodeStream,
  decodeResponse: responseCodec.decodeStream,
};
