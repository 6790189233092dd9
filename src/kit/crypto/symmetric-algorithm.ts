/** A ciphertext; `tag` is empty where the algorithm has none. */
export interface Sealed {
  readonly ciphertext: Uint8Array;
  readonly tag: Uint8Array;
}

/** One algorithm over the bytes of a symmetric key. All methods throw CryptoFailure. */
export interface SymmetricAlgorithm {
  seal(key: Buffer, plaintext: Uint8Array, nonce: Uint8Array, associatedData: Uint8Array): Promise<Sealed>;
  open(
    key: Buffer,
    ciphertext: Uint8Array,
    nonce: Uint8Array,
    tag: Uint8Array,
    associatedData: Uint8Array,
  ): Promise<Uint8Array>;
}
