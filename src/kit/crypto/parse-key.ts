import type { KeyObject, webcrypto } from "node:crypto";
import { errorMessage } from "../error-message.ts";
import { crypto } from "../lazy-builtins.ts";
import { CryptoFailure } from "./crypto-failure.ts";
import type { Key } from "./key.ts";

/** How a key is written; where nobody knows, its first bytes tell. */
export type KeyFormat = "jwk" | "pem";

/** Members of a JWK that are the key itself, and hold secrets in part; they live in the KeyObject alone. */
const KEY_MEMBERS: ReadonlySet<string> = new Set([
  "kty",
  "crv",
  "x",
  "y",
  "n",
  "e",
  "k",
  "d",
  "p",
  "q",
  "dp",
  "dq",
  "qi",
  "oth",
]);

const ASYMMETRIC_TYPES: ReadonlySet<string> = new Set(["rsa", "ec", "ed25519", "x25519"]);
const SYMMETRIC_LENGTHS: ReadonlySet<number> = new Set([16, 24, 32]);
const BRACE = 0x7b;
const PEM_LABEL = /-----BEGIN ([A-Z0-9 ]+)-----/;
const NO_MEMBERS = Object.freeze({});

/**
 * Reads a key as Dapr does: a JWK, PEM (PKCS #1, PKCS #8, SubjectPublicKeyInfo, a certificate), or a symmetric key, raw or
 * as base64 of either alphabet. A raw key that happens to be base64 counts as base64.
 * @throws CryptoFailure
 */
export function parseKey(raw: Uint8Array, format?: KeyFormat): Key {
  if (raw.length === 0) {
    throw new CryptoFailure("key is empty");
  }
  switch (format ?? guessFormat(raw)) {
    case "jwk":
      return parseJwkText(Buffer.from(raw).toString());
    case "pem":
      return parsePem(Buffer.from(raw).toString());
    case undefined:
      return symmetricKey(decodeSymmetric(raw), NO_MEMBERS);
  }
}

/** Reads one JWK. @throws CryptoFailure */
export function parseJwk(jwk: Readonly<Record<string, unknown>>): Key {
  const members = Object.fromEntries(Object.entries(jwk).filter(([name]) => !KEY_MEMBERS.has(name)));
  const kty = jwk["kty"];
  switch (kty) {
    case "oct": {
      const k = jwk["k"];
      return symmetricKey(Buffer.from(typeof k === "string" ? k : "", "base64url"), members);
    }
    case "RSA":
    case "EC":
    case "OKP": {
      const key = jwk as webcrypto.JsonWebKey;
      const { createPrivateKey, createPublicKey } = crypto();
      const create = jwk["d"] === undefined ? createPublicKey : createPrivateKey;
      return asymmetricKey(() => create({ key, format: "jwk" }), members);
    }
    default:
      throw new CryptoFailure(`invalid key type from JSON (${typeof kty === "string" ? kty : ""})`);
  }
}

/**
 * Reads a JWK set, or a single JWK, as the keys in their order.
 * @throws CryptoFailure for text that is neither, or when one of the keys cannot be read
 */
export function parseJwks(text: string): readonly Key[] {
  const set = parseObject(text);
  const keys = set["keys"];
  if (keys === undefined) {
    return [parseJwk(set)];
  }
  if (!Array.isArray(keys)) {
    throw new CryptoFailure('failed to decode "keys": it is not a list');
  }
  return keys.map((key: unknown, index) => {
    try {
      return parseJwk(isObject(key) ? key : {});
    } catch (cause) {
      throw new CryptoFailure(`failed to decode key #${index} in "keys": ${errorMessage(cause)}`, { cause });
    }
  });
}

function guessFormat(raw: Uint8Array): KeyFormat | undefined {
  if (raw[0] === BRACE && !SYMMETRIC_LENGTHS.has(raw.length)) {
    return "jwk";
  }
  return raw.length > 10 && Buffer.from(raw.subarray(0, 5)).toString("latin1") === "-----" ? "pem" : undefined;
}

function parseJwkText(text: string): Key {
  return parseJwk(parseObject(text));
}

function parseObject(text: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new CryptoFailure(`failed to unmarshal JSON into key hint: ${errorMessage(cause)}`, { cause });
  }
  if (!isObject(value)) {
    throw new CryptoFailure("failed to unmarshal JSON into key hint: it is not an object");
  }
  return value;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function parsePem(text: string): Key {
  const label = PEM_LABEL.exec(text)?.[1];
  if (label === undefined) {
    throw new CryptoFailure("failed to parse PEM encoded key: failed to decode PEM data");
  }
  const { createPrivateKey, createPublicKey } = crypto();
  const create = label.endsWith("PRIVATE KEY") ? createPrivateKey : createPublicKey;
  return asymmetricKey(() => create({ key: text, format: "pem" }), NO_MEMBERS);
}

function asymmetricKey(create: () => KeyObject, members: Key["members"]): Key {
  let object: KeyObject;
  try {
    object = create();
  } catch (cause) {
    throw new CryptoFailure(`failed to parse key: ${errorMessage(cause)}`, { cause });
  }
  if (!ASYMMETRIC_TYPES.has(object.asymmetricKeyType ?? "")) {
    throw new CryptoFailure("invalid key type");
  }
  return { object, members };
}

function symmetricKey(bytes: Uint8Array, members: Key["members"]): Key {
  if (bytes.length === 0) {
    throw new CryptoFailure("key is empty");
  }
  return { object: crypto().createSecretKey(bytes), members };
}

function decodeSymmetric(raw: Uint8Array): Uint8Array {
  const text = Buffer.from(raw)
    .toString("latin1")
    .replace(/[\n=]+$/, "");
  const digits = text.replace(/[\r\n]+/g, "");
  const whole = digits.length % 4 !== 1;
  if (whole && /^[A-Za-z0-9+/]*$/.test(digits)) {
    return Buffer.from(digits, "base64");
  }
  return whole && /^[A-Za-z0-9_-]*$/.test(digits) ? Buffer.from(digits, "base64url") : raw;
}
