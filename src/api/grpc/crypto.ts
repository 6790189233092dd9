import type { CryptoBlock } from "../../blocks/crypto/crypto-block.ts";
import { commonErrors } from "../../errors/catalogue/common.ts";
import { cryptoErrors } from "../../errors/catalogue/crypto.ts";
import { type ApiError, apiError } from "../../errors/error.ts";
import type { Clock } from "../../kit/clock.ts";
import type { StreamPayload } from "../../wire/gen/dapr/proto/common/v1/common_pb.js";
import type { Dapr } from "../../wire/gen/dapr/proto/runtime/v1/dapr_pb.js";
import type { ServiceHandlers } from "./service.ts";

/** How long a caller may take for its first message, as in Dapr. */
const FIRST_MESSAGE_TIMEOUT_MS = 5_000;

/**
 * The streamed methods of `dapr.proto.runtime.v1.Dapr`: options in the first message, chunks with consecutive numbers, and
 * an answer that is made as fast as the caller reads it.
 */
export function cryptoHandlers(
  block: CryptoBlock,
  clock: Clock,
): Pick<ServiceHandlers<typeof Dapr>, "encryptAlpha1" | "decryptAlpha1"> {
  return {
    async *encryptAlpha1(requests, call) {
      const iterator = requests[Symbol.asyncIterator]();
      const first = await firstOf(iterator, clock);
      const options = required(first.options);
      const { keyName, keyWrapAlgorithm } = options;
      if (keyName === "") {
        throw badRequest("missing property 'keyName' in the options message");
      }
      if (keyWrapAlgorithm === "") {
        throw badRequest("missing property 'keyWrapAlgorithm' in the options message");
      }
      const request = {
        keyName,
        keyWrapAlgorithm,
        cipher: options.dataEncryptionCipher,
        omitKeyName: options.omitDecryptionKeyName,
        decryptionKeyName: options.decryptionKeyName,
        signal: call.cancellation,
      };
      const operations = block.provider(options.componentName);
      for await (const payload of numbered(await operations.encrypt(request, chunksOf(first, iterator)))) {
        yield { $typeName: "dapr.proto.runtime.v1.EncryptResponse", payload };
      }
    },
    async *decryptAlpha1(requests, call) {
      const iterator = requests[Symbol.asyncIterator]();
      const first = await firstOf(iterator, clock);
      const { keyName, componentName } = required(first.options);
      const operations = block.provider(componentName);
      const request = { keyName, signal: call.cancellation };
      for await (const payload of numbered(await operations.decrypt(request, chunksOf(first, iterator)))) {
        yield { $typeName: "dapr.proto.runtime.v1.DecryptResponse", payload };
      }
    },
  };
}

interface StreamRequest {
  readonly options?: object | undefined;
  readonly payload?: StreamPayload | undefined;
}

async function firstOf<T>(requests: AsyncIterator<T>, clock: Clock): Promise<T> {
  const next = requests.next();
  // When the time is up first, the call's end settles it and nobody looks any more.
  next.catch(() => undefined);
  const timeUp = Promise.withResolvers<never>();
  const timer = clock.after(FIRST_MESSAGE_TIMEOUT_MS, () =>
    timeUp.reject(badRequest("error waiting for first message: context deadline exceeded")),
  );
  try {
    const result = await Promise.race([next, timeUp.promise]);
    if (result.done === true) {
      throw operationFailed("error receiving the first message: EOF");
    }
    return result.value;
  } finally {
    timer.cancel();
  }
}

function required<T>(options: T | undefined): T {
  if (options === undefined) {
    throw badRequest("first message does not contain the required options");
  }
  return options;
}

/** The data of all messages. A chunk counts before its number is looked at, as in Dapr. */
async function* chunksOf(
  first: StreamRequest,
  requests: AsyncIterator<StreamRequest>,
): AsyncGenerator<Uint8Array, void, undefined> {
  let expected = 0n;
  for (let request = first; ;) {
    const { payload } = request;
    if (payload !== undefined) {
      yield payload.data;
      if (payload.seq !== expected) {
        throw operationFailed(`invalid sequence number received: ${payload.seq} (expected: ${expected})`);
      }
      expected += 1n;
    }
    const result = await requests.next();
    if (result.done === true) {
      return;
    }
    request = result.value;
    if (request.options !== undefined) {
      throw operationFailed("options found in non-leading message");
    }
  }
}

async function* numbered(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<StreamPayload, void, undefined> {
  let seq = 0n;
  for await (const data of chunks) {
    yield { $typeName: "dapr.proto.common.v1.StreamPayload", data, seq };
    seq += 1n;
  }
}

function badRequest(reason: string): ApiError {
  return apiError(commonErrors.badRequest, { reason });
}

function operationFailed(reason: string): ApiError {
  return apiError(cryptoErrors.operation, { reason });
}
