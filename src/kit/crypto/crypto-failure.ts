/** A key, an algorithm and data that do not go together, or data that has been changed. Texts are those of Dapr's kit. */
export class CryptoFailure extends Error {
  override readonly name = "CryptoFailure";
}

export const unsupportedAlgorithm = (): CryptoFailure => new CryptoFailure("unsupported algorithm");
export const keyTypeMismatch = (): CryptoFailure => new CryptoFailure("key type mismatch");
export const invalidNonce = (): CryptoFailure => new CryptoFailure("invalid nonce");
export const invalidTag = (): CryptoFailure => new CryptoFailure("invalid tag");
export const invalidPlaintextLength = (): CryptoFailure => new CryptoFailure("invalid plaintext length");
export const invalidCiphertextLength = (): CryptoFailure => new CryptoFailure("invalid ciphertext length");
