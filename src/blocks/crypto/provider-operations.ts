import { cryptoErrors } from "../../errors/catalogue/crypto.ts";
import { apiError } from "../../errors/error.ts";
import type { CancelSignal } from "../../kit/cancel-signal.ts";
import { CryptoFailure } from "../../kit/crypto/crypto-failure.ts";
import { publicJwk, publicPem, serializeKey } from "../../kit/crypto/key.ts";
import { parseKey } from "../../kit/crypto/parse-key.ts";
import { errorMessage } from "../../kit/error-message.ts";
import type { Logger } from "../../kit/logger.ts";
import type { Random } from "../../kit/random.ts";
import { documentCipherOf, keyWrapAlgorithmOf } from "./algorithms.ts";
import { decryptDocument, encryptDocument } from "./document.ts";
import { DocumentError } from "./document-error.ts";
import { type ProviderAttempt, type ProviderCalls, reasonOf } from "./provider-calls.ts";
import type {
  CryptoOperations,
  DecryptDocument,
  Encrypted,
  EncryptDocument,
  PublicKey,
  PublicKeyFormat,
  SubtleDecrypt,
  SubtleEncrypt,
  SubtleSign,
  SubtleVerify,
} from "./types.ts";

const NO_BYTES = new Uint8Array(0);

/** The operations of one component. */
export class ProviderOperations implements CryptoOperations {
  readonly #calls: ProviderCalls;
  readonly #random: Random;
  readonly #logger: Logger;

  constructor(calls: ProviderCalls, random: Random, logger: Logger) {
    this.#calls = calls;
    this.#random = random;
    this.#logger = logger;
  }

  async encrypt(request: EncryptDocument, plaintext: AsyncIterable<Uint8Array>): Promise<AsyncIterable<Uint8Array>> {
    const { keyName, signal } = request;
    return answering(async () => {
      const algorithm = keyWrapAlgorithmOf(request.keyWrapAlgorithm);
      const named = request.decryptionKeyName === "" ? keyName : request.decryptionKeyName;
      return encryptDocument(plaintext, {
        keyWrapAlgorithm: algorithm,
        cipher: documentCipherOf(request.cipher),
        recordedKeyName: request.omitKeyName ? "" : named,
        random: this.#random,
        wrap: (key) => this.#wrapDocumentKey({ keyName, algorithm, plaintext: key, ...NOTHING_ELSE, signal }),
      });
    });
  }

  async decrypt(request: DecryptDocument, ciphertext: AsyncIterable<Uint8Array>): Promise<AsyncIterable<Uint8Array>> {
    const { signal } = request;
    return answering(() =>
      decryptDocument(ciphertext, {
        keyName: request.keyName,
        unwrap: (wrapped, algorithm, keyName) =>
          this.#unwrapDocumentKey({ keyName, algorithm, ciphertext: wrapped, tag: NO_BYTES, ...NOTHING_ELSE, signal }),
      }),
    );
  }

  async getKey(keyName: string, format: PublicKeyFormat, signal?: CancelSignal): Promise<PublicKey> {
    try {
      const key = await this.#calls.run("get", (provider, each) => provider.getKey(keyName, each), signal);
      return { name: keyName, publicKey: format === "pem" ? publicPem(key) : publicJwk(key) };
    } catch (cause) {
      throw apiError(cryptoErrors.getKey, { key: keyName, reason: reasonOf(cause) }, { cause });
    }
  }

  encryptMessage(request: SubtleEncrypt): Promise<Encrypted> {
    return this.#subtle("encrypt", request, (provider, signal) => provider.encrypt({ ...request, signal }));
  }

  decryptMessage(request: SubtleDecrypt): Promise<Uint8Array> {
    return this.#subtle("decrypt", request, (provider, signal) => provider.decrypt({ ...request, signal }));
  }

  async wrapKey(request: SubtleEncrypt): Promise<Encrypted> {
    const plaintext = parsedKey(request.plaintext);
    return this.#subtle("wrap key", request, (provider, signal) => provider.wrapKey({ ...request, plaintext, signal }));
  }

  unwrapKey(request: SubtleDecrypt): Promise<Uint8Array> {
    return this.#subtle("unwrap key", request, (provider, signal) => provider.unwrapKey({ ...request, signal }));
  }

  sign(request: SubtleSign): Promise<Uint8Array> {
    return this.#subtle("sign", request, (provider, signal) => provider.sign({ ...request, signal }));
  }

  verify(request: SubtleVerify): Promise<boolean> {
    return this.#subtle("verify signature", request, (provider, signal) => provider.verify({ ...request, signal }));
  }

  /** What went wrong is told to the log alone: a caller could learn about keys from it (padding oracles). */
  async #subtle<T>(what: string, request: { readonly signal?: CancelSignal | undefined }, attempt: ProviderAttempt<T>) {
    try {
      return await this.#calls.run("crypto_op", attempt, request.signal);
    } catch (cause) {
      this.#logger.debug(`failed to perform operation: ${reasonOf(cause)}`);
      throw apiError(cryptoErrors.operation, { reason: `failed to ${what}` }, { cause });
    }
  }

  async #wrapDocumentKey(request: SubtleEncrypt): Promise<Uint8Array> {
    try {
      const wrap: ProviderAttempt<Encrypted> = (provider, signal) => provider.wrapKey({ ...request, signal });
      return (await this.#calls.run("crypto_op", wrap, request.signal)).ciphertext;
    } catch (cause) {
      throw new DocumentError(`failed to wrap the file key: ${reasonOf(cause)}`, { cause });
    }
  }

  async #unwrapDocumentKey(request: SubtleDecrypt): Promise<Uint8Array | undefined> {
    try {
      const unwrap: ProviderAttempt<Uint8Array> = (provider, signal) => provider.unwrapKey({ ...request, signal });
      return await this.#calls.run("crypto_op", unwrap, request.signal);
    } catch (cause) {
      this.#logger.debug(`failed to unwrap the file key: ${reasonOf(cause)}`);
      return undefined;
    }
  }
}

const NOTHING_ELSE = { nonce: NO_BYTES, associatedData: NO_BYTES } as const;

/** The bytes to wrap of a key that may be written in several ways. */
function parsedKey(written: Uint8Array): Uint8Array {
  try {
    return serializeKey(parseKey(written));
  } catch (cause) {
    if (cause instanceof CryptoFailure) {
      const reason = `failed to parse plaintext key: ${cause.message}`;
      throw apiError(cryptoErrors.operation, { reason }, { cause });
    }
    throw cause;
  }
}

/** Errors of a document as errors of the API, at its beginning and in its stream. */
async function answering(begin: () => Promise<AsyncIterable<Uint8Array>>): Promise<AsyncIterable<Uint8Array>> {
  try {
    return answeringStream(await begin());
  } catch (error) {
    throw asApiError(error);
  }
}

async function* answeringStream(document: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    yield* document;
  } catch (error) {
    throw asApiError(error);
  }
}

function asApiError(error: unknown): unknown {
  return error instanceof DocumentError
    ? apiError(cryptoErrors.operation, { reason: errorMessage(error) }, { cause: error })
    : error;
}
