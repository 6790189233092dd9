import { GRPC_STATUS, type GrpcStatusCode } from "../../errors/grpc-status.ts";
import type { CancelSignal } from "../../kit/cancel-signal.ts";
import { H2_ERROR, type ResponseHead, type StreamHandler, type TransportStream } from "../h2/transport.ts";
import type { HeaderList } from "../http/types.ts";
import { dialError, httpError, NO_TRAILERS_MESSAGE } from "./foreign-answers.ts";
import { FrameScanner } from "./frame-scanner.ts";
import { headerOf } from "./metadata.ts";
import { errorOfStatus, formatGrpcTimeout, GrpcError, grpcErrorOfReset, passedStatusOf } from "./status.ts";
import type { GrpcClient, GrpcStatus, PassOnOptions } from "./types.ts";

const EMPTY = new Uint8Array(0);
const NO_HEADERS: HeaderList = [];

/** Nobody heard of the call: no connection could be made. Another attempt is safe. */
export class PeerUnreachedError extends GrpcError {
  constructor(dial: GrpcError) {
    super(dial.code, dial.message, { cause: dial.cause });
  }
}

/** The caller's side of a call that is passed on. */
export interface RelayedCaller {
  readonly path: string;
  readonly timeoutMs: number | undefined;
  /** All bytes of the request so far while they are kept for another attempt. */
  readonly kept: readonly Uint8Array[] | undefined;
  readonly requestEnded: boolean;
  /** Its request need not be kept any more. */
  dropKept(): void;
  relayHead(headers: HeaderList): void;
  /** @returns false when the caller lags */
  relayAnswer(chunk: Uint8Array): boolean;
  /** The attempt has failed, and another may follow. */
  legLost(): void;
  /** A second message of the answer has begun. */
  answerStreams(): void;
  /** The peer has room for more of the request. */
  peerHasRoom(): void;
  /** The peer's end of the call goes to the caller as it is. */
  finish(status: GrpcStatus, trailers: HeaderList): void;
  /** @returns the code that the caller gets */
  fail(error: unknown): GrpcStatusCode;
  onDeadline(): void;
}

/** One attempt to have a call answered by a peer: the stream to it, and its answer on the way back. */
export class RelayLeg implements StreamHandler {
  readonly over: Promise<GrpcStatusCode>;
  private resolve!: (code: GrpcStatusCode) => void;
  private reject!: (error: unknown) => void;
  private readonly caller: RelayedCaller;
  private readonly client: GrpcClient;
  private readonly headers: HeaderList;
  private readonly repeatable: boolean;
  private readonly signal: CancelSignal | undefined;
  private readonly onOpen: (() => void) | undefined;
  private readonly answers: FrameScanner;
  private stream: TransportStream | undefined = undefined;
  /** The caller has a deadline, and the peer knows it. */
  private timed = false;
  private reopened = false;
  private headSeen = false;
  /** Something of the answer went to the caller. */
  private begun = false;
  private ended = false;
  private heldHead: HeaderList | undefined = undefined;
  private trailers: HeaderList = NO_HEADERS;
  private connectError: Error | undefined = undefined;

  constructor(
    caller: RelayedCaller,
    client: GrpcClient,
    headers: HeaderList,
    messageBytesMax: number,
    options: PassOnOptions,
  ) {
    this.caller = caller;
    this.client = client;
    this.headers = headers;
    this.repeatable = options.repeatable === true;
    this.signal = options.signal;
    this.onOpen = options.onOpen;
    this.answers = new FrameScanner(messageBytesMax);
    this.over = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
  }

  /** Opens the stream and sends what has come of the request. @returns false when the peer lags */
  start(): boolean {
    const { signal } = this;
    if (signal?.aborted === true) {
      this.giveUp(signal.reason);
      return true;
    }
    signal?.addEventListener("abort", this.onAbort, { once: true });
    this.onOpen?.();
    return this.open();
  }

  /** @returns false when the peer lags */
  send(chunk: Uint8Array, last: boolean): boolean {
    return this.stream === undefined || this.stream.send(chunk, last);
  }

  /** The caller's side is over. */
  cancel(code: GrpcStatusCode): void {
    if (this.end()) this.resolve(code);
  }

  /** The caller has room again. */
  resume(): void {
    this.stream?.resume();
  }

  private open(): boolean {
    const { caller } = this;
    const headers = this.headers.slice();
    const { timeoutMs } = caller;
    if (timeoutMs !== undefined) {
      this.timed = true;
      headers.push("grpc-timeout", formatGrpcTimeout(timeoutMs));
    }
    const stream = this.client.open(caller.path, headers, this);
    this.stream = stream;
    let room = true;
    for (const chunk of caller.kept ?? []) room = stream.send(chunk, false);
    if (caller.requestEnded) stream.send(EMPTY, true);
    return room;
  }

  onConnectError(error: Error): void {
    this.connectError = error;
  }

  onHead(head: ResponseHead, endStream: boolean): void {
    if (this.ended) return;
    this.headSeen = true;
    const contentType = headerOf(head.headers, "content-type");
    const isGrpc = contentType?.startsWith("application/grpc") === true;
    if (endStream) {
      const status = passedStatusOf(head.headers);
      if (status === undefined) this.fail(httpError(head.status, contentType));
      else if (isGrpc) this.finish(status, head.headers);
      else this.fail(errorOfStatus(status, head.headers));
      return;
    }
    if (head.status !== 200 || !isGrpc) {
      this.fail(httpError(head.status, contentType));
      return;
    }
    if (this.repeatable) {
      this.heldHead = head.headers;
      return;
    }
    this.begin(head.headers);
  }

  onData(chunk: Uint8Array): void {
    if (this.ended) return;
    const { answers, caller } = this;
    try {
      answers.scan(chunk);
    } catch (error) {
      this.fail(error);
      return;
    }
    if (this.heldHead !== undefined) this.begin(this.heldHead);
    if (answers.messages > 1) caller.answerStreams();
    if (!caller.relayAnswer(chunk)) this.stream?.hold();
  }

  onTrailers(trailers: HeaderList): void {
    this.trailers = trailers;
  }

  onEnd(): void {
    if (this.ended) return;
    const status = passedStatusOf(this.trailers);
    if (status === undefined) this.fail(new GrpcError(GRPC_STATUS.INTERNAL, NO_TRAILERS_MESSAGE));
    else if (status.code === GRPC_STATUS.OK && !this.answers.atBoundary)
      this.fail(new GrpcError(GRPC_STATUS.INTERNAL, "unexpected EOF"));
    else this.finish(status, this.trailers);
  }

  onDrain(): void {
    if (!this.ended) this.caller.peerHasRoom();
  }

  onClose(code: number): void {
    if (this.ended) return;
    if (code === H2_ERROR.refusedStream && !this.headSeen && !this.reopened && this.caller.kept !== undefined) {
      // The peer has not looked at it: it was going away.
      this.reopened = true;
      if (this.open()) this.caller.peerHasRoom();
      return;
    }
    if (this.connectError !== undefined) {
      this.giveUp(new PeerUnreachedError(dialError(this.connectError)));
      return;
    }
    // The peer's end is still to be read.
    if (code === H2_ERROR.noError && this.headSeen) return;
    // The peer's timer may run out before ours, which is coarse.
    if (code === H2_ERROR.cancel && this.timed && (this.caller.timeoutMs ?? 0) <= 0) {
      this.caller.onDeadline();
      return;
    }
    this.fail(grpcErrorOfReset(code));
  }

  private begin(headers: HeaderList): void {
    this.heldHead = undefined;
    this.begun = true;
    this.caller.dropKept();
    this.caller.relayHead(headers);
  }

  /** Whether a failure is told to whoever passes the call on, instead of to the caller. */
  private get repeats(): boolean {
    return this.repeatable && !this.begun && this.caller.kept !== undefined;
  }

  private finish(status: GrpcStatus, trailers: HeaderList): void {
    if (status.code !== GRPC_STATUS.OK && this.repeats) {
      this.giveUp(errorOfStatus(status, trailers));
      return;
    }
    if (this.heldHead !== undefined) this.begin(this.heldHead);
    if (!this.end()) return;
    this.caller.finish(status, trailers);
    this.resolve(status.code);
  }

  private fail(error: unknown): void {
    if (this.repeats) {
      this.giveUp(error);
      return;
    }
    if (!this.end()) return;
    this.resolve(this.caller.fail(error));
  }

  private giveUp(error: unknown): void {
    if (!this.end()) return;
    this.caller.legLost();
    this.reject(error);
  }

  /** Frees the stream, which is still there when the peer has ended the call before its request was whole. */
  private end(): boolean {
    if (this.ended) return false;
    this.ended = true;
    this.signal?.removeEventListener("abort", this.onAbort);
    this.stream?.reset(H2_ERROR.cancel);
    return true;
  }

  private readonly onAbort = (): void => {
    this.giveUp(this.signal?.reason);
  };
}
