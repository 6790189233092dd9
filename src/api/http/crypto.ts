import { callerSignal } from "./caller-signal.ts";
import type { CryptoBlock } from "../../blocks/crypto/crypto-block.ts";
import type { CryptoOperations } from "../../blocks/crypto/types.ts";
import { isTruthy } from "../../components/spi/metadata.ts";
import { commonErrors } from "../../errors/catalogue/common.ts";
import { cryptoErrors } from "../../errors/catalogue/crypto.ts";
import { ApiError, apiError } from "../../errors/error.ts";
import type { CancelSignal } from "../../kit/cancel-signal.ts";
import { errorMessage } from "../../kit/error-message.ts";
import type { Logger } from "../../kit/logger.ts";
import type { HeaderList, HttpExchange } from "../../net/http/types.ts";
import type { Route } from "./route.ts";

const OCTET_STREAM: HeaderList = ["content-type", "application/octet-stream"];

/**
 * Bytes of a result that are held before the answer begins when bodies have no limit. Up to here a document that turns out
 * to be broken is answered with an error; beyond, only the end of the answer can be held back.
 */
const HELD_BYTES_MAX_WITHOUT_LIMIT = 4 * 1024 * 1024;

export interface CryptoRoutesOptions {
  /** `--max-body-size` in bytes; 0: no limit. */
  readonly maxBodyBytes: number;
  readonly logger: Logger;
}

/** Begins an operation: its options stand in the headers of the exchange, its input is the body. */
type Begin = (
  operations: CryptoOperations,
  exchange: HttpExchange,
  body: AsyncIterable<Uint8Array>,
  signal: CancelSignal,
) => Promise<AsyncIterable<Uint8Array>>;

/** Routes 26 and 27 of the HTTP API. */
export function cryptoRoutes(block: CryptoBlock, options: CryptoRoutesOptions): Route[] {
  const logger = options.logger.scope("dapr.runtime.http");
  const route = (path: string, name: string, begin: Begin): Route => ({
    methods: ["PUT"],
    path: `/v1.0-alpha1/crypto/:name/${path}`,
    group: { name: "crypto", version: "v1alpha1" },
    name,
    async handler(exchange, params) {
      const operations = block.provider(params["name"] ?? "");
      const signal = callerSignal(exchange);
      const body = exchange.streamBody(options.maxBodyBytes);
      let result: AsyncIterable<Uint8Array>;
      try {
        result = await begin(operations, exchange, body, signal);
      } catch (error) {
        // What still comes is read away, so that the caller gets its answer.
        await body[Symbol.asyncIterator]().return?.();
        throw error;
      }
      await answer(exchange, result, options.maxBodyBytes, logger);
    },
  });
  return [route("encrypt", "Encrypt", encrypt), route("decrypt", "Decrypt", decrypt)];
}

const encrypt: Begin = async (operations, exchange, body, signal) =>
  operations.encrypt(
    {
      keyName: required(exchange, "dapr-key-name"),
      keyWrapAlgorithm: required(exchange, "dapr-key-wrap-algorithm"),
      cipher: exchange.header("dapr-data-encryption-cipher") ?? "",
      omitKeyName: isTruthy(exchange.header("dapr-omit-decryption-key-name") ?? ""),
      decryptionKeyName: exchange.header("dapr-decryption-key-name") ?? "",
      signal,
    },
    body,
  );

const decrypt: Begin = (operations, exchange, body, signal) =>
  operations.decrypt({ keyName: exchange.header("dapr-key-name") ?? "", signal }, body);

function required(exchange: HttpExchange, header: string): string {
  const value = exchange.header(header) ?? "";
  if (value === "") {
    throw apiError(commonErrors.badRequest, { reason: `missing header '${header}'` });
  }
  return value;
}

/**
 * Under a body limit the result is held until it is whole, as in Dapr: errors are answered, and callers that read only
 * when they have sent all get along. Without one, what is too long to hold streams.
 */
async function answer(
  exchange: HttpExchange,
  result: AsyncIterable<Uint8Array>,
  maxBodyBytes: number,
  logger: Logger,
): Promise<void> {
  const chunks = result[Symbol.asyncIterator]();
  const heldBytesMax = maxBodyBytes > 0 ? Infinity : HELD_BYTES_MAX_WITHOUT_LIMIT;
  const held: Uint8Array[] = [];
  let heldBytes = 0;
  while (heldBytes <= heldBytesMax) {
    const next = await withoutPrefix(chunks.next());
    if (next.done === true) {
      exchange.respond(200, OCTET_STREAM, held.length === 1 ? held[0] : Buffer.concat(held, heldBytes));
      return;
    }
    held.push(next.value);
    heldBytes += next.value.length;
  }
  await stream(exchange, held, chunks, logger);
}

async function stream(
  exchange: HttpExchange,
  held: Uint8Array[],
  chunks: AsyncIterator<Uint8Array>,
  logger: Logger,
): Promise<void> {
  const writer = exchange.startResponse(200, OCTET_STREAM);
  try {
    for (const chunk of held.splice(0)) {
      await writer.write(chunk);
    }
    for (let next = await chunks.next(); next.done !== true; next = await chunks.next()) {
      await writer.write(next.value);
    }
    writer.end();
  } catch (error) {
    logger.warn(`a cryptographic operation failed after its answer had begun: ${errorMessage(error)}`);
    writer.abort();
    await chunks.return?.();
  }
}

/** What goes wrong within the body has Dapr's generic code and no prefix on this door. */
async function withoutPrefix<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof ApiError && error.entry === cryptoErrors.operation) {
      throw apiError(cryptoErrors.document, { reason: error.facts["reason"] ?? "" }, { cause: error });
    }
    throw error;
  }
}
