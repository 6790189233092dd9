import { DocumentError } from "./document-error.ts";

/** Algorithms that wrap a document's key, with their numbers in the manifest (Dapr's scheme `dapr.io/enc/v1`). */
const KEY_WRAP_NUMBERS = {
  A256KW: 1,
  "A128CBC-NOPAD": 2,
  "A192CBC-NOPAD": 3,
  "A256CBC-NOPAD": 4,
  "RSA-OAEP-256": 5,
} as const;

const CIPHER_NUMBERS = { "AES-GCM": 1, "CHACHA20-POLY1305": 2 } as const;

const ALIASES: Readonly<Record<string, KeyWrapAlgorithm>> = { AES: "A256KW", RSA: "RSA-OAEP-256" };

export type KeyWrapAlgorithm = keyof typeof KEY_WRAP_NUMBERS;
export type DocumentCipher = keyof typeof CIPHER_NUMBERS;

/** @param name in any case; `AES` and `RSA` stand for what is usual with such keys. @throws DocumentError */
export function keyWrapAlgorithmOf(name: string): KeyWrapAlgorithm {
  const upper = name.toUpperCase();
  if (Object.hasOwn(KEY_WRAP_NUMBERS, upper)) {
    return upper as KeyWrapAlgorithm;
  }
  const meant = Object.hasOwn(ALIASES, upper) ? ALIASES[upper] : undefined;
  if (meant === undefined) {
    throw new DocumentError(`option Algorithm is not valid: algorithm ${upper} is not supported`);
  }
  return meant;
}

/** @param name in any case; empty: AES-GCM. @throws DocumentError */
export function documentCipherOf(name: string): DocumentCipher {
  const upper = name === "" ? "AES-GCM" : name.toUpperCase();
  if (!Object.hasOwn(CIPHER_NUMBERS, upper)) {
    throw new DocumentError(`option Cipher is not valid: cipher ${upper} is not supported`);
  }
  return upper as DocumentCipher;
}

export function keyWrapNumber(algorithm: KeyWrapAlgorithm): number {
  return KEY_WRAP_NUMBERS[algorithm];
}

export function cipherNumber(cipher: DocumentCipher): number {
  return CIPHER_NUMBERS[cipher];
}

/** Undefined for a number that stands for none. */
export function keyWrapAlgorithmFrom(number: unknown): KeyWrapAlgorithm | undefined {
  return nameOf(KEY_WRAP_NUMBERS, number);
}

/** Undefined for a number that stands for none. */
export function documentCipherFrom(number: unknown): DocumentCipher | undefined {
  return nameOf(CIPHER_NUMBERS, number);
}

function nameOf<N extends string>(numbers: Readonly<Record<N, number>>, number: unknown): N | undefined {
  return (Object.keys(numbers) as N[]).find((name) => numbers[name] === number);
}
