import { GRPC_STATUS, type GrpcStatusCode } from "../../errors/grpc-status.ts";
import type { PeerInfo, RequestHead, TransportStream } from "../h2/transport.ts";
import type { HeaderList } from "../http/types.ts";
import { AcceptedCall } from "./accepted-call.ts";
import { CANCELLED } from "./call-status.ts";
import { FrameScanner } from "./frame-scanner.ts";
import { RELAY_REPEAT_BYTES_MAX, RELAY_WAITING_BYTES, REPLAY_BYTES_MAX } from "./limits.ts";
import { RelayLeg, type RelayedCaller } from "./relay-leg.ts";
import type { ServerCore } from "./accepted-call.ts";
import type { GrpcClient, GrpcStatus, PassingCall, PassOnOptions, RelayHandler } from "./types.ts";

const EMPTY = new Uint8Array(0);
const ANSWER_AT_ONCE: PassOnOptions = {};

/**
 * A call that is passed on: chunk by chunk as they come, each direction held while the other end lags. Only the prefixes of
 * messages are looked at, for the limit; messages, compressed or not, headers, trailers and the status stay as they are.
 */
export class RelayedCall extends AcceptedCall implements PassingCall, RelayedCaller {
  onRequestStreams: (() => void) | undefined = undefined;
  onAnswerStreams: (() => void) | undefined = undefined;
  override requestEnded = false;
  kept: Uint8Array[] | undefined = [];
  private keptBytes = 0;
  private keptBytesMax = REPLAY_BYTES_MAX;
  private readonly stream: TransportStream;
  private readonly handler: RelayHandler;
  private readonly requests: FrameScanner;
  private leg: RelayLeg | undefined = undefined;
  /** The peer's end of the call, on its way to the caller. */
  private peerTrailers: HeaderList | undefined = undefined;

  constructor(
    stream: TransportStream,
    head: RequestHead,
    peer: PeerInfo,
    core: ServerCore,
    contentType: string,
    handler: RelayHandler,
  ) {
    super(stream, head, peer, core, "bidi_streaming", contentType, undefined);
    this.stream = stream;
    this.handler = handler;
    this.requests = new FrameScanner(core.messageBytesMax);
  }

  get receivedBytes(): number {
    return this.requests.bytes;
  }

  get requestsRead(): boolean {
    return this.requestEnded;
  }

  get requestStreams(): boolean {
    return this.requests.messages > 1;
  }

  /** Runs the interceptors, then whoever knows where the call goes. Called once, when the head has come. */
  start(timeout: string | undefined): void {
    if (!this.begin(timeout)) return;
    try {
      this.handler(this)?.catch((error: unknown) => void this.fail(error));
    } catch (error) {
      this.fail(error);
    }
  }

  passOn(client: GrpcClient, headers: HeaderList, options: PassOnOptions = ANSWER_AT_ONCE): Promise<GrpcStatusCode> {
    if (this.settled !== undefined) return Promise.resolve(this.settled.code);
    if (this.kept === undefined) throw new Error("the call has been passed on, and its request is gone");
    this.keptBytesMax = options.repeatable === true ? RELAY_REPEAT_BYTES_MAX : REPLAY_BYTES_MAX;
    const leg = new RelayLeg(this, client, headers, this.core.messageBytesMax, options);
    this.leg = leg;
    if (leg.start()) this.stream.resume();
    else this.stream.hold();
    return leg.over;
  }

  fail(error: unknown): GrpcStatusCode {
    const status = this.statusOf(error);
    this.settle(status);
    return status.code;
  }

  onData(chunk: Uint8Array): void {
    if (this.settled !== undefined) return;
    const { requests } = this;
    const before = requests.messages;
    try {
      requests.scan(chunk);
    } catch (error) {
      this.fail(error);
      return;
    }
    if (before <= 1 && requests.messages > 1) {
      this.onRequestStreams?.();
      if (this.settled !== undefined) return;
    }
    if (this.kept !== undefined) this.keep(this.kept, chunk);
    if (this.leg === undefined) {
      if (this.keptBytes >= RELAY_WAITING_BYTES) this.stream.hold();
    } else if (!this.leg.send(chunk, false)) this.stream.hold();
  }

  onEnd(): void {
    this.requestEnded = true;
    if (this.settled !== undefined) return;
    if (this.requests.atBoundary) this.leg?.send(EMPTY, true);
    else this.settle({ code: GRPC_STATUS.INTERNAL, message: "unexpected EOF" });
  }

  onDrain(): void {
    this.leg?.resume();
  }

  onClose(): void {
    this.sender.close();
    this.settle(CANCELLED);
  }

  dropKept(): void {
    this.kept = undefined;
  }

  legLost(): void {
    this.leg = undefined;
  }

  relayHead(headers: HeaderList): void {
    this.sender.relayHead(headers);
  }

  relayAnswer(chunk: Uint8Array): boolean {
    return this.sender.relayData(chunk);
  }

  answerStreams(): void {
    const told = this.onAnswerStreams;
    this.onAnswerStreams = undefined;
    told?.();
  }

  peerHasRoom(): void {
    this.stream.resume();
  }

  finish(status: GrpcStatus, trailers: HeaderList): void {
    this.peerTrailers = trailers;
    this.settle(status);
  }

  protected stopWork(status: GrpcStatus): void {
    this.leg?.cancel(status.code);
  }

  protected stopReceiving(): void {
    this.kept = undefined;
    this.stream.resume();
  }

  protected override sendEnd(status: GrpcStatus): void {
    if (this.peerTrailers === undefined) super.sendEnd(status);
    else this.sender.relayEnd(this.peerTrailers, !this.requestEnded);
  }

  /** A leg that is under way can do without what is kept; without one it is the request itself. */
  private keep(kept: Uint8Array[], chunk: Uint8Array): void {
    this.keptBytes += chunk.length;
    if (this.leg !== undefined && this.keptBytes > this.keptBytesMax) this.kept = undefined;
    else kept.push(chunk);
  }
}
