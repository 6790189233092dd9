import { sleep } from "../../kit/clock.ts";
import { errorMessage } from "../../kit/error-message.ts";
import type { ClientStream, GrpcMethod } from "../../net/grpc/types.ts";
import type { ComponentDeps } from "../spi/component.ts";
import type { ComponentConnection } from "./connection.ts";
import { RETRY_WAIT_MS, RETRY_WAIT_MS_MAX, STREAM_END_MS_MAX, STREAM_STANDS_MS } from "./limits.ts";
import { statusError } from "./status-error.ts";

export interface LiveStreamOptions<I, O> {
  readonly connection: Pick<ComponentConnection, "stream" | "roundTrip" | "trouble">;
  readonly deps: Pick<ComponentDeps, "clock" | "logger">;
  readonly method: GrpcMethod<I, O>;
  /** Sent first on every stream; undefined: nothing is. */
  readonly opening: I | undefined;
  /** What is read, for messages: `topic orders`. */
  readonly what: string;
  /** What the log says when the stream fails, before the reason: Dapr's words. */
  readonly failureText: string;
  /** Messages that are handled at once; 1 keeps their order. */
  readonly parallel: number;
  /** Handles a message; what it resolves to is sent back on the stream it came from, undefined being nothing. Never rejects. */
  readonly handle: (message: O, signal: AbortSignal) => Promise<I | undefined>;
  /** A message that could not be settled since its stream is gone. */
  readonly onUnsettled: (message: O) => void;
}

/**
 * A bidirectional stream that stands as long as somebody wants its messages: when it ends or breaks it is opened again,
 * and the component gives anew what was not settled. While all places are taken nothing is read, so that flow control
 * holds the component.
 */
export class LiveStream<I, O> {
  readonly #options: LiveStreamOptions<I, O>;
  readonly #stop = new AbortController();
  /** Cuts off handlers whose answers nobody waits for. */
  readonly #abandon = new AbortController();
  #stream: ClientStream<I, O> | undefined;
  #running: Promise<void> = Promise.resolve();
  #inFlight = 0;
  #waitMs = RETRY_WAIT_MS;
  #slot: (() => void) | undefined;
  #idle: (() => void) | undefined;
  #settledMs = Number.NEGATIVE_INFINITY;
  #closed: Promise<void> | undefined;

  constructor(options: LiveStreamOptions<I, O>) {
    this.#options = options;
  }

  /** Opens the first stream. @throws GrpcError when it cannot be opened at all */
  async start(): Promise<void> {
    this.#stream = await this.#open();
    this.#running = this.#run(this.#stream);
    await this.#options.connection.roundTrip();
  }

  /** Stops intake, waits for the handlers under way and their answers, and ends the stream. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    const { clock } = this.#options.deps;
    this.#stop.abort(new Error("the reader is closing"));
    const hadWork = this.#inFlight > 0;
    if (hadWork) {
      await new Promise<void>((resolve) => {
        this.#idle = resolve;
      });
      // What the component hands out as it hears of the last answer is taken off its hands and stays unsettled, as in Dapr.
      await sleep(clock, STREAM_END_MS_MAX);
    }
    const stream = this.#stream;
    if (stream !== undefined && (hadWork || clock.monotonicMs() - this.#settledMs < STREAM_END_MS_MAX)) {
      // A reset could overtake the last answers in the component.
      stream.closeSend();
      const late = Promise.withResolvers<void>();
      const timer = clock.after(STREAM_END_MS_MAX, late.resolve);
      await Promise.race([this.#running, late.promise]);
      timer.cancel();
    }
    stream?.cancel();
    await this.#running;
    this.#abandon.abort(new Error("the stream has been closed"));
  }

  async #open(): Promise<ClientStream<I, O>> {
    const { connection, method, opening } = this.#options;
    const stream = await connection.stream(method);
    if (opening !== undefined) {
      await stream.send(opening);
    }
    return stream;
  }

  async #run(first: ClientStream<I, O>): Promise<void> {
    const { deps } = this.#options;
    const stop = this.#stop.signal;
    let stream: ClientStream<I, O> | undefined = first;
    while (!stop.aborted) {
      let reason = "the component has ended the stream";
      try {
        stream ??= await this.#open();
        this.#stream = stream;
        if (stop.aborted) {
          stream.cancel();
        }
        await this.#read(stream);
      } catch (error) {
        reason = errorMessage(statusError(error));
      }
      stream = undefined;
      if (stop.aborted) {
        return;
      }
      this.#failed(reason);
      await sleep(deps.clock, this.#waitMs, stop).catch(() => undefined);
      this.#waitMs = Math.min(this.#waitMs * 2, RETRY_WAIT_MS_MAX);
    }
  }

  /** The first failure is an error in the log, those that follow it without a stream in between are not. */
  #failed(reason: string): void {
    const { connection, deps, what, failureText } = this.#options;
    const text = `${failureText}: ${reason}; the stream of ${what} is opened again in ${this.#waitMs} ms`;
    if (this.#waitMs === RETRY_WAIT_MS) {
      deps.logger.error(text);
    } else {
      deps.logger.debug(text);
    }
    connection.trouble(what, `${what}: ${reason}`);
  }

  #stands(): void {
    this.#waitMs = RETRY_WAIT_MS;
    this.#options.connection.trouble(this.#options.what, undefined);
  }

  /** Reads to the end of one stream. @throws GrpcError */
  async #read(stream: ClientStream<I, O>): Promise<void> {
    const { deps, parallel } = this.#options;
    // The component has taken the stream when its headers come, which may be with the first message.
    const headers = stream.headers.then(
      () => this.#stands(),
      () => undefined,
    );
    const timer = deps.clock.after(STREAM_STANDS_MS, () => this.#stands());
    try {
      for await (const message of stream.responses) {
        if (this.#stop.signal.aborted) {
          // Neither taken nor refused: the component keeps it.
          continue;
        }
        const handled = this.#settle(stream, message);
        if (parallel === 1) {
          await handled;
        } else if (this.#inFlight >= parallel) {
          await new Promise<void>((resolve) => {
            this.#slot = resolve;
          });
        }
      }
    } finally {
      timer.cancel();
      await headers;
    }
  }

  async #settle(stream: ClientStream<I, O>, message: O): Promise<void> {
    this.#inFlight += 1;
    const answer = await this.#options.handle(message, this.#abandon.signal);
    try {
      if (answer !== undefined) {
        this.#settledMs = this.#options.deps.clock.monotonicMs();
        await stream.send(answer);
      }
    } catch {
      this.#options.onUnsettled(message);
    }
    this.#inFlight -= 1;
    this.#slot?.();
    this.#slot = undefined;
    if (this.#inFlight === 0) {
      this.#idle?.();
    }
  }

  /** Whether the reader is going away. */
  get closing(): boolean {
    return this.#stop.signal.aborted || this.#closed !== undefined;
  }
}
