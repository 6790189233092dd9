import { headerValue, wantsEventStream } from "../app/header-rules.ts";
import type { InvokeCall, InvokeReply, InvokeStatus } from "../app/types.ts";
import { GRPC_STATUS } from "../errors/grpc-status.ts";
import type { Clock } from "../kit/clock.ts";
import type { Logger } from "../kit/logger.ts";
import { GrpcError } from "../net/grpc/status.ts";
import { traceMetadata } from "../net/grpc/trace-metadata.ts";
import type { ClientStream, GrpcClient } from "../net/grpc/types.ts";
import type { Body } from "../net/http/types.ts";
import { BODY_END_GRACE_MS } from "./limits.ts";
import { type CallerStamps, isGrpcCode, type RequestHead, type ResponseHead, type StreamMessage } from "./messages.ts";
import { PiecewiseBody, piecesOf } from "./piecewise-body.ts";
import { callLocal, callLocalStream } from "./service-invocation.ts";

type Request = StreamMessage<RequestHead>;
type Response = StreamMessage<ResponseHead>;

const NO_BYTES = new Uint8Array(0);

export interface RemoteCallPorts {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Bytes of the pieces that bodies are sent in. */
  readonly pieceBytes: number;
}

/**
 * One attempt at a call of a peer: `CallLocalStream`, or `CallLocal` where the peer does not have that.
 *
 * @param onOver called once when the answer's body is over; not after a rejection
 * @throws GrpcError that the peer or the connection gave before an answer began
 */
export async function callPeer(
  client: GrpcClient,
  call: InvokeCall,
  stamps: CallerStamps,
  ports: RemoteCallPorts,
  onOver: () => void,
): Promise<InvokeReply> {
  try {
    return await streamed(client, call, stamps, ports, onOver);
  } catch (error) {
    if (!GrpcError.is(error) || error.code !== GRPC_STATUS.UNIMPLEMENTED) {
      throw error;
    }
  }
  const reply = await unary(client, call, stamps, ports.logger);
  onOver();
  return reply;
}

async function streamed(
  client: GrpcClient,
  call: InvokeCall,
  stamps: CallerStamps,
  ports: RemoteCallPorts,
  onOver: () => void,
): Promise<InvokeReply> {
  const stream = client.stream(callLocalStream, { signal: call.signal, metadata: traceMetadata(call.trace) });
  const sending = new RequestSender(stream, headOf(call, stamps, undefined), ports.pieceBytes);
  const responses = stream.responses[Symbol.asyncIterator]();
  const sent = sending.send(call.body);
  sent?.catch(() => undefined);
  let first: IteratorResult<Response>;
  try {
    first = await responses.next();
  } catch (error) {
    throw sending.bodyError ?? error;
  }
  const head = first.done === true ? undefined : first.value.head;
  if (first.done === true || head?.status === undefined) {
    stream.cancel();
    throw new Error(first.done === true ? "EOF" : "response does not contain the required fields in the leading chunk");
  }
  if (stream.over && first.value.seq === 0) {
    onOver();
    return replyOf(head, head.status, first.value.payload ?? NO_BYTES);
  }
  const body = await responseBody(first.value, responses, ports.clock, wantsEventStream(call.headers), onOver);
  return replyOf(head, head.status, body);
}

/** Whole where the answer's end follows its first piece soon, otherwise a stream. */
async function responseBody(
  first: Response,
  rest: AsyncIterator<Response>,
  clock: Clock,
  eventStream: boolean,
  onOver: () => void,
): Promise<Body> {
  const second = rest.next();
  second.catch(() => undefined);
  const soon = eventStream ? undefined : await settledWithin(second, clock, BODY_END_GRACE_MS);
  if (soon?.done === true && first.seq === 0) {
    onOver();
    return first.payload ?? NO_BYTES;
  }
  return new PiecewiseBody<ResponseHead>({ first, rest, second, kind: "response", isEmptyHead, onOver });
}

/** The result of a promise, or undefined when it takes longer or fails. */
function settledWithin<T>(promise: Promise<T>, clock: Clock, ms: number): Promise<T | undefined> {
  return new Promise((resolve) => {
    const timer = clock.after(ms, () => resolve(undefined));
    promise.then(
      (value) => {
        timer.cancel();
        resolve(value);
      },
      () => {
        timer.cancel();
        resolve(undefined);
      },
    );
  });
}

function isEmptyHead(head: ResponseHead): boolean {
  return head.status === undefined && !head.hasMessage && head.headers.length === 0;
}

async function unary(client: GrpcClient, call: InvokeCall, stamps: CallerStamps, logger: Logger): Promise<InvokeReply> {
  const appId = stamps.calleeAppId;
  const log = logger.scope("dapr.runtime.direct_messaging");
  if (!(call.body instanceof Uint8Array)) {
    log.error(
      `App ${appId} does not support streaming-based service invocation (most likely because it's using an older version of Dapr) and the request is not replayable. Please upgrade the Dapr sidecar used by the target app, or use Resiliency policies to add retries`,
    );
    throw new Error(
      `target app '${appId}' is running a version of Dapr that does not support streaming-based service invocation`,
    );
  }
  log.warn(
    `App ${appId} does not support streaming-based service invocation (most likely because it's using an older version of Dapr); falling back to unary calls`,
  );
  const request = headOf(call, stamps, call.body);
  const { response } = await client.unary(callLocal, request, {
    signal: call.signal,
    metadata: traceMetadata(call.trace),
  });
  return replyOf(
    response,
    response.status ?? { code: 0, message: "", detailsBin: undefined },
    response.data ?? NO_BYTES,
  );
}

function headOf(call: InvokeCall, stamps: CallerStamps, data: Uint8Array | undefined): RequestHead {
  return {
    headers: call.origin === "grpc" ? ["content-type", "application/grpc", ...call.headers] : call.headers,
    origin: call.origin,
    method: call.method,
    verb: call.verb,
    query: call.query,
    contentType: call.contentType,
    typeUrl: call.typeUrl ?? "",
    data,
    stamps,
    hasMessage: true,
    hasMetadata: true,
  };
}

function replyOf(head: ResponseHead, status: NonNullable<ResponseHead["status"]>, body: Body): InvokeReply {
  const shown: InvokeStatus = isGrpcCode(status.code)
    ? { kind: "grpc", code: status.code, message: status.message, detailsBin: status.detailsBin }
    : { kind: "http", code: status.code };
  return {
    status: shown,
    headers: head.headers,
    trailers: head.trailers,
    // daprd answers server-sent events with headers alone.
    contentType: head.hasMessage ? head.contentType : (headerValue(head.headers, "content-type") ?? ""),
    body,
    typeUrl: head.typeUrl,
  };
}

/** Sends a request's head with the first piece of its body, then the rest as fast as the peer takes it. */
class RequestSender {
  /** Why the body could not be read; the call was cancelled with it. */
  bodyError: unknown;
  readonly #stream: ClientStream<Request, Response>;
  readonly #pieceBytes: number;
  #head: RequestHead | undefined;
  #seq = 0;

  constructor(stream: ClientStream<Request, Response>, head: RequestHead, pieceBytes: number) {
    this.#stream = stream;
    this.#head = head;
    this.#pieceBytes = pieceBytes;
  }

  /** @returns undefined when everything has gone out at once */
  send(body: Body): Promise<void> | undefined {
    if (!(body instanceof Uint8Array)) {
      return this.#sendPieces(piecesOf(body, this.#pieceBytes));
    }
    if (body.byteLength > this.#pieceBytes) {
      return this.#sendWhole(body);
    }
    this.#sendPiece(body.byteLength === 0 ? undefined : body, true)?.catch(() => undefined);
    return undefined;
  }

  async #sendWhole(body: Uint8Array): Promise<void> {
    for (let at = 0; at < body.byteLength; at += this.#pieceBytes) {
      await this.#sendPiece(body.subarray(at, at + this.#pieceBytes));
    }
    this.#stream.closeSend();
  }

  async #sendPieces(pieces: AsyncGenerator<Uint8Array>): Promise<void> {
    for (;;) {
      let piece: IteratorResult<Uint8Array>;
      try {
        piece = await pieces.next();
      } catch (error) {
        this.bodyError = error;
        this.#stream.cancel();
        return;
      }
      if (piece.done === true) {
        break;
      }
      try {
        await this.#sendPiece(piece.value);
      } catch {
        // The call has ended; its outcome is told to whoever reads the answer.
        await pieces.return(undefined);
        return;
      }
    }
    if (this.#head !== undefined) {
      this.#sendPiece(undefined)?.catch(() => undefined);
    }
    this.#stream.closeSend();
  }

  #sendPiece(payload: Uint8Array | undefined, last = false): Promise<void> | undefined {
    const message: Request = { head: this.#head, payload, seq: this.#seq };
    this.#head = undefined;
    this.#seq += 1;
    return this.#stream.send(message, last);
  }
}
