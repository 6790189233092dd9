import { decodeGoBase64 } from "../../kit/go-base64.ts";
import {
  cipherNumber,
  type DocumentCipher,
  documentCipherFrom,
  keyWrapAlgorithmFrom,
  type KeyWrapAlgorithm,
  keyWrapNumber,
} from "./algorithms.ts";
import { NONCE_PREFIX_BYTES } from "./file-key.ts";

/** The clear text at the beginning of a document: all that is needed to decrypt it, given the key that it names. */
export interface DocumentManifest {
  /** `name` or `name/version`; empty: the reader has to know. */
  readonly keyName: string;
  readonly keyWrapAlgorithm: KeyWrapAlgorithm;
  readonly wrappedKey: Uint8Array;
  readonly cipher: DocumentCipher;
  readonly noncePrefix: Uint8Array;
}

/** The manifest as one line, as Go's encoder prints it: in a key's name the characters that matter in HTML are escaped. */
export function encodeManifest(manifest: DocumentManifest): Buffer {
  const { keyName, keyWrapAlgorithm, wrappedKey, cipher, noncePrefix } = manifest;
  const json = JSON.stringify({
    k: keyName === "" ? undefined : keyName,
    kw: keyWrapNumber(keyWrapAlgorithm),
    wfk: Buffer.from(wrappedKey).toString("base64"),
    cph: cipherNumber(cipher),
    np: Buffer.from(noncePrefix).toString("base64"),
  });
  return Buffer.from(
    json.replace(/[<>&\u2028\u2029]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`),
  );
}

/** Undefined for a line that is no manifest: which part of it is wrong is not told. Names are matched without case. */
export function parseManifest(line: Uint8Array): DocumentManifest | undefined {
  const members = parseObject(line);
  const keyName = members?.get("k") ?? "";
  const keyWrapAlgorithm = keyWrapAlgorithmFrom(members?.get("kw"));
  const wrappedKey = decodeBase64(members?.get("wfk"));
  const cipher = documentCipherFrom(members?.get("cph"));
  const noncePrefix = decodeBase64(members?.get("np"));
  const isWhole =
    typeof keyName === "string" &&
    keyWrapAlgorithm !== undefined &&
    wrappedKey !== undefined &&
    wrappedKey.length > 0 &&
    cipher !== undefined &&
    noncePrefix?.length === NONCE_PREFIX_BYTES;
  return isWhole ? { keyName, keyWrapAlgorithm, wrappedKey, cipher, noncePrefix } : undefined;
}

function parseObject(line: Uint8Array): ReadonlyMap<string, unknown> | undefined {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(line).toString());
  } catch {
    return undefined;
  }
  return typeof value === "object" && value !== null
    ? new Map(Object.entries(value).map(([name, member]) => [name.toLowerCase(), member]))
    : undefined;
}

function decodeBase64(text: unknown): Buffer | undefined {
  const decoded = typeof text === "string" ? decodeGoBase64(text) : undefined;
  return typeof decoded === "number" ? undefined : decoded;
}
