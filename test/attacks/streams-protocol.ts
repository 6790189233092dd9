/** What is sent at a time. */
export const CHUNK_BYTES = 16 * 1024;

/** What a process with slow streams is asked, over its IPC channel. */
export type StreamsCommand =
  /** With an upstream it passes every stream on to the server at that port. */
  | { readonly do: "serve"; readonly upstream?: number }
  /** What is held so far is taken. */
  | { readonly do: "go on" }
  | { readonly do: "state" };

export interface StreamsState {
  readonly port: number;
  /** Given to streams to be sent. */
  readonly sentBytes: number;
  /** Taken from streams, with the prefixes of gRPC's messages. */
  readonly receivedBytes: number;
  /** Heap and buffers after a collection. */
  readonly memoryBytes: number;
}
