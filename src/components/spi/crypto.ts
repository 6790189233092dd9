import type { CancelSignal } from "../../kit/cancel-signal.ts";
import type { Key } from "../../kit/crypto/key.ts";
import type { Sealed } from "../../kit/crypto/symmetric-algorithm.ts";
import type { Component } from "./component.ts";

/** Which key does what. Algorithms have the names of RFC 7518, written exactly so. */
export interface KeyUse {
  /** `name` or `name/version`. */
  readonly keyName: string;
  readonly algorithm: string;
  readonly signal?: CancelSignal | undefined;
}

export interface SealRequest extends KeyUse {
  /** A message, or the bytes of the key to wrap. */
  readonly plaintext: Uint8Array;
  /** Empty where the algorithm needs none. */
  readonly nonce: Uint8Array;
  readonly associatedData: Uint8Array;
}

export interface OpenRequest extends KeyUse {
  readonly ciphertext: Uint8Array;
  readonly nonce: Uint8Array;
  readonly tag: Uint8Array;
  readonly associatedData: Uint8Array;
}

export interface SignRequest extends KeyUse {
  readonly digest: Uint8Array;
}

export interface VerifyRequest extends SignRequest {
  readonly signature: Uint8Array;
}

/**
 * Keys in a vault and what can be done with them. Private and symmetric keys never leave it. All methods throw
 * ComponentError: `notFound` for a key that is not there, `invalidRequest` where key, algorithm and data do not go together.
 */
export interface CryptoProvider extends Component {
  /** The public half of a key; a symmetric key counts as not there. */
  getKey(keyName: string, signal?: CancelSignal): Promise<Key>;
  encrypt(request: SealRequest): Promise<Sealed>;
  decrypt(request: OpenRequest): Promise<Uint8Array>;
  wrapKey(request: SealRequest): Promise<Sealed>;
  /** @returns the bytes of a symmetric key */
  unwrapKey(request: OpenRequest): Promise<Uint8Array>;
  sign(request: SignRequest): Promise<Uint8Array>;
  verify(request: VerifyRequest): Promise<boolean>;
}
