import { collectBody, discardBody } from "../../app/body.ts";
import { headerValue, wantsEventStream } from "../../app/header-rules.ts";
import type { InvokeCall, InvokeReply } from "../../app/types.ts";
import type { InvocationBlock } from "../../blocks/invocation/invocation.ts";
import { invocationErrors } from "../../errors/catalogue/invocation.ts";
import { apiError } from "../../errors/error.ts";
import { type StreamTally, tallied } from "../../kit/stream-tally.ts";
import { namesTrace } from "../../kit/trace-context.ts";
import { pieceBytesOf } from "../../mesh/limits.ts";
import type { RequestHead, ResponseHead, ResponseStatus, StreamMessage } from "../../mesh/messages.ts";
import { PiecewiseBody, piecesOf } from "../../mesh/piecewise-body.ts";
import { callLocal, callLocalStream } from "../../mesh/service-invocation.ts";
import type { GrpcServer } from "../../net/grpc/server.ts";
import type { ServerCall } from "../../net/grpc/types.ts";
import type { Body } from "../../net/http/types.ts";
import { describeLocalCall } from "../span-attributes.ts";

const NO_BYTES = new Uint8Array(0);
/** Metadata that the calling sidecar has stamped. */
const CALLER_ID = "dapr-caller-app-id";

export interface PeerInvocationOptions {
  readonly invocation: Pick<InvocationBlock, "invokeLocal">;
  /** For the names of spans. */
  readonly appId: string;
  /** Bytes of an answer that must be held whole for `CallLocal`; 0: no limit. */
  readonly maxBodyBytes: number;
  /** Counts streamed bodies; absent: nobody does. */
  readonly tally?: StreamTally | undefined;
}

/** Registers `CallLocal` and `CallLocalStream` of `dapr.proto.internals.v1.ServiceInvocation` on the internal port. */
export function addPeerInvocation(server: GrpcServer, options: PeerInvocationOptions): void {
  server.add(callLocal, (request, call) => answerWhole(request, call, options));
  server.add(callLocalStream, (requests, call) => answerStreamed(requests, call, options));
}

async function answerWhole(
  request: RequestHead,
  call: ServerCall,
  options: PeerInvocationOptions,
): Promise<ResponseHead> {
  if (!request.hasMessage) {
    throw apiError(invocationErrors.internalRequest, { reason: "field Message is nil" });
  }
  const reply = await options.invocation.invokeLocal(
    callOf(request, request.data ?? NO_BYTES, call, options.appId),
    headerValue(request.headers, CALLER_ID),
    call.peerId,
  );
  return headOf(reply, await collectBody(reply.body, options.maxBodyBytes));
}

async function* answerStreamed(
  requests: AsyncIterable<StreamMessage<RequestHead>>,
  call: ServerCall,
  { invocation, maxBodyBytes, tally, appId }: PeerInvocationOptions,
): AsyncGenerator<StreamMessage<ResponseHead>> {
  const messages = requests[Symbol.asyncIterator]();
  const first = await messages.next();
  const head = first.done === true ? undefined : first.value.head;
  if (first.done === true || head === undefined || !head.hasMessage || !head.hasMetadata) {
    throw apiError(invocationErrors.internalRequest, {
      reason: "request does not contain the required fields in the leading chunk",
    });
  }
  const whole = wholeBody(head, first.value, call.requestsRead);
  const body = whole ?? (await streamedBody(first.value, messages, tally));
  const reply = await invocation.invokeLocal(
    callOf(head, body, call, appId),
    headerValue(head.headers, CALLER_ID),
    call.peerId,
  );
  const pieceBytes = pieceBytesOf(maxBodyBytes);
  const eventStream = wantsEventStream(head.headers) && reply.status.kind === "http";
  if (eventStream && !isSuccess(reply)) {
    await discardBody(reply.body);
    throw apiError(invocationErrors.channelInvoke, { reason: "no response received from stream" });
  }
  if (reply.body instanceof Uint8Array && reply.body.byteLength <= pieceBytes) {
    yield {
      head: headOf(reply, undefined),
      payload: reply.body.byteLength === 0 ? undefined : reply.body,
      seq: 0,
    };
    return;
  }
  yield* messagesOf(reply, eventStream, pieceBytes, tally);
}

/** The body where the first message is known to hold all of it. */
function wholeBody(
  head: RequestHead,
  { payload, seq }: StreamMessage<RequestHead>,
  requestsRead: boolean,
): Uint8Array | undefined {
  if (requestsRead && (payload === undefined || seq === 0)) {
    return payload ?? NO_BYTES;
  }
  if (payload === undefined || payload.byteLength === 0 || seq !== 0) {
    return undefined;
  }
  return headerValue(head.headers, "content-length") === String(payload.byteLength) ? payload : undefined;
}

async function streamedBody(
  first: StreamMessage<RequestHead>,
  rest: AsyncIterator<StreamMessage<RequestHead>>,
  tally: StreamTally | undefined,
): Promise<Body> {
  const { payload } = first;
  if (payload !== undefined && payload.byteLength > 0) {
    return tallied(
      new PiecewiseBody<RequestHead>({ first, rest, kind: "request", isEmptyHead, onOver: nothing }),
      tally,
    );
  }
  const second = await rest.next();
  if (second.done === true) {
    return NO_BYTES;
  }
  const body = new PiecewiseBody<RequestHead>({
    first,
    rest,
    second: Promise.resolve(second),
    kind: "request",
    isEmptyHead,
    onOver: nothing,
  });
  return tallied(body, tally);
}

/** The head goes out with the first piece of the body; with events it does not wait for one. */
async function* messagesOf(
  reply: InvokeReply,
  eventStream: boolean,
  pieceBytes: number,
  tally: StreamTally | undefined,
): AsyncGenerator<StreamMessage<ResponseHead>> {
  let head: ResponseHead | undefined = headOf(reply, undefined);
  if (eventStream) {
    yield { head, payload: undefined, seq: 0 };
    head = undefined;
  }
  let seq = 0;
  for await (const payload of piecesOf(reply.body instanceof Uint8Array ? [reply.body] : reply.body, pieceBytes)) {
    yield { head, payload, seq };
    tally?.add(payload.byteLength);
    head = undefined;
    seq += 1;
  }
  if (head !== undefined) {
    yield { head, payload: undefined, seq };
  }
}

function callOf(head: RequestHead, body: Body, { trace, cancellation }: ServerCall, appId: string): InvokeCall {
  if (trace?.recording === true) {
    describeLocalCall(trace, appId, head.method);
  }
  return {
    method: head.method,
    verb: head.verb,
    query: head.query,
    headers: head.headers,
    trace: trace !== undefined && (namesTrace(trace) || !carriesTrace(head)) ? trace : undefined,
    origin: head.origin,
    contentType: head.contentType,
    body,
    typeUrl: head.typeUrl,
    signal: cancellation,
  };
}

/** The caller's sidecar does not trace and has left its app's headers as they were. */
function carriesTrace({ headers }: RequestHead): boolean {
  return headerValue(headers, "traceparent") !== undefined || headerValue(headers, "grpc-trace-bin") !== undefined;
}

function headOf(reply: InvokeReply, data: Uint8Array | undefined): ResponseHead {
  const { status } = reply;
  const shown: ResponseStatus =
    status.kind === "http"
      ? { code: status.code, message: "", detailsBin: undefined }
      : { code: status.code, message: status.message, detailsBin: status.detailsBin };
  return {
    status: shown,
    headers: reply.headers,
    trailers: reply.trailers,
    contentType: reply.contentType,
    typeUrl: reply.typeUrl ?? "",
    data,
    hasMessage: true,
  };
}

function isSuccess(reply: InvokeReply): boolean {
  return reply.status.code >= 200 && reply.status.code < 300;
}

function isEmptyHead(head: RequestHead): boolean {
  return !head.hasMessage && !head.hasMetadata;
}

function nothing(): void {}
