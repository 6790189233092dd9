import { CryptoFailure } from "../../kit/crypto/crypto-failure.ts";
import { allowsAlgorithm, allowsOperation, type Key, type KeyOperation, publicHalf } from "../../kit/crypto/key.ts";
import { decryptWithKey, encryptWithKey } from "../../kit/crypto/operations.ts";
import { signWithKey, verifyWithKey } from "../../kit/crypto/signatures.ts";
import type { Sealed } from "../../kit/crypto/symmetric-algorithm.ts";
import type { ComponentMetadata } from "./component.ts";
import type { CryptoProvider, KeyUse, OpenRequest, SealRequest, SignRequest, VerifyRequest } from "./crypto.ts";
import { ComponentError } from "./errors.ts";

/** A provider that has the keys themselves and works with them in this process. Its back end only finds keys. */
export abstract class LocalCryptoProvider implements CryptoProvider {
  abstract init(metadata: ComponentMetadata, signal: AbortSignal): Promise<void>;
  abstract close(): Promise<void>;
  /** @throws ComponentError with Dapr's text when there is no such key, or none that can be read */
  protected abstract retrieve(keyName: string): Promise<Key>;

  async getKey(keyName: string): Promise<Key> {
    const key = publicHalf(await this.retrieve(keyName));
    if (key === undefined) {
      throw keyNotFound();
    }
    return key;
  }

  async encrypt(request: SealRequest): Promise<Sealed> {
    return this.#seal(await this.#keyFor(request, "encrypt", "key"), request);
  }

  async decrypt(request: OpenRequest): Promise<Uint8Array> {
    return this.#open(await this.#keyFor(request, "decrypt", "key"), request);
  }

  async wrapKey(request: SealRequest): Promise<Sealed> {
    return this.#seal(await this.#keyFor(request, "wrapKey", "key encryption key"), request);
  }

  async unwrapKey(request: OpenRequest): Promise<Uint8Array> {
    return this.#open(await this.#keyFor(request, "unwrapKey", "key encryption key"), request);
  }

  async sign(request: SignRequest): Promise<Uint8Array> {
    const key = await this.#keyFor(request, "sign", "key");
    return attempt("failed to sign message", () => signWithKey(key, request.algorithm, request.digest));
  }

  async verify(request: VerifyRequest): Promise<boolean> {
    const { algorithm, digest, signature } = request;
    const key = await this.#keyFor(request, "verify", "key");
    return attempt("failed to validate the signature", () => verifyWithKey(key, algorithm, digest, signature));
  }

  async #keyFor({ keyName, algorithm }: KeyUse, operation: KeyOperation, noun: string): Promise<Key> {
    const key = await attempt(`failed to retrieve the ${noun}`, () => this.retrieve(keyName));
    if (!allowsOperation(key, operation)) {
      throw new ComponentError("invalidRequest", `key cannot perform the '${operation}' operation`);
    }
    if (!allowsAlgorithm(key, algorithm)) {
      throw new ComponentError("invalidRequest", `key cannot be used with algorithm '${algorithm}'`);
    }
    return key;
  }

  #seal(key: Key, { algorithm, plaintext, nonce, associatedData }: SealRequest): Promise<Sealed> {
    return attempt("failed to encrypt data", () => encryptWithKey(key, algorithm, plaintext, nonce, associatedData));
  }

  #open(key: Key, { algorithm, ciphertext, nonce, tag, associatedData }: OpenRequest): Promise<Uint8Array> {
    return attempt("failed to decrypt data", () =>
      decryptWithKey(key, algorithm, ciphertext, nonce, tag, associatedData),
    );
  }
}

/** Dapr's error for a key that a provider does not have, or does not give away. */
export function keyNotFound(): ComponentError {
  return new ComponentError("notFound", "key not found");
}

async function attempt<T>(what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof CryptoFailure) {
      throw new ComponentError("invalidRequest", `${what}: ${cause.message}`, { cause });
    }
    if (cause instanceof ComponentError) {
      throw new ComponentError(cause.kind, `${what}: ${cause.message}`, { cause, facts: cause.facts });
    }
    throw cause;
  }
}
