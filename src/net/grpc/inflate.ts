import { GRPC_STATUS } from "../../errors/grpc-status.ts";
import { zlib } from "../../kit/lazy-builtins.ts";
import { INFLATE_INLINE_BYTES_MAX } from "./limits.ts";
import { GrpcError } from "./status.ts";

/** What the peer may compress messages with, as `grpc-accept-encoding` says it. */
export const ACCEPTED_ENCODINGS = "identity,deflate,gzip";

type Done = (error: GrpcError | undefined, message: Uint8Array) => void;

const EMPTY = new Uint8Array(0);

/**
 * Inflates one message of a stream with the given `grpc-encoding` and gives it to `done`, at once or later. The result is
 * limited like any message, so that a small message cannot grow without bound.
 */
export function inflateMessage(
  encoding: string | undefined,
  message: Uint8Array,
  messageBytesMax: number,
  done: Done,
): void {
  if (encoding !== "gzip" && encoding !== "deflate") {
    done(unknownEncoding(encoding), EMPTY);
    return;
  }
  const options = { maxOutputLength: Math.max(messageBytesMax, 1) };
  if (message.length <= INFLATE_INLINE_BYTES_MAX) {
    let result: Uint8Array;
    try {
      result = encoding === "gzip" ? zlib().gunzipSync(message, options) : zlib().inflateSync(message, options);
    } catch (error) {
      done(inflateError(error, messageBytesMax), EMPTY);
      return;
    }
    done(undefined, result);
    return;
  }
  const callback = (error: Error | null, result: Uint8Array): void => {
    done(error === null ? undefined : inflateError(error, messageBytesMax), error === null ? result : EMPTY);
  };
  if (encoding === "gzip") zlib().gunzip(message, options, callback);
  else zlib().inflate(message, options, callback);
}

function unknownEncoding(encoding: string | undefined): GrpcError {
  if (encoding === undefined || encoding === "identity") {
    return new GrpcError(GRPC_STATUS.INTERNAL, "grpc: compressed flag set with identity or empty encoding");
  }
  return new GrpcError(
    GRPC_STATUS.UNIMPLEMENTED,
    `grpc: Decompressor is not installed for grpc-encoding "${encoding}"`,
  );
}

function inflateError(error: unknown, messageBytesMax: number): GrpcError {
  const code = (error as { code?: string }).code;
  if (code === "ERR_BUFFER_TOO_LARGE") {
    return new GrpcError(
      GRPC_STATUS.RESOURCE_EXHAUSTED,
      `grpc: received message after decompression larger than max ${messageBytesMax}`,
    );
  }
  return new GrpcError(
    GRPC_STATUS.INTERNAL,
    `grpc: failed to decompress the received message: ${(error as Error).message}`,
    { cause: error },
  );
}
