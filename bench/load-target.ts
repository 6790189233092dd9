/** One kind of request, sent again and again on keep-alive connections. */
export interface LoadTarget {
  readonly port: number;
  readonly method: string;
  readonly path: string;
  /** Makes the path of every request, in place of `path`. @param lane the number of its connection, from 0 */
  readonly varying?: (lane: number) => string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  /** A unary gRPC call: the body is the message without its prefix, and the status that is expected is gRPC's OK. */
  readonly grpc?: boolean;
  /** Any other status fails the run: a benchmark of errors is none. */
  readonly expectStatus: number;
}

/** One connection with one request on its way at a time. */
export interface Lane {
  /** Resolves with the answer, having recorded how long after `plannedMs` it came. */
  request(plannedMs: number): Promise<void>;
  close(): void;
}
