import type { StreamHandler, TransportStream } from "./transport.ts";

/** What a client's stream is told to; a connection that cannot be made is told apart from one that is lost. */
export type ClientHandler = StreamHandler & { onConnectError?(error: Error): void };

/** A stream that never was: its end is told after the caller has it in hand. */
export function refusedStream(handler: ClientHandler, error: unknown): TransportStream {
  queueMicrotask(() => {
    handler.onConnectError?.(error instanceof Error ? error : new Error(String(error)));
    handler.onClose(-1);
  });
  return DEAD_STREAM;
}

const DEAD_STREAM: TransportStream = {
  respond: () => undefined,
  send: () => true,
  sendTrailers: () => undefined,
  reset: () => undefined,
  hold: () => undefined,
  resume: () => undefined,
};
