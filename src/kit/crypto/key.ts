import type { KeyObject } from "node:crypto";
import { crypto } from "../lazy-builtins.ts";
import { keyTypeMismatch } from "./crypto-failure.ts";

/** What a JWK's `key_ops` may allow (RFC 7517 section 4.3). */
export type KeyOperation = "encrypt" | "decrypt" | "wrapKey" | "unwrapKey" | "sign" | "verify";

/** A symmetric, public or private key, with what its JWK says besides: `kid`, `use`, `key_ops`, `alg` and unknown members. */
export interface Key {
  readonly object: KeyObject;
  readonly members: Readonly<Record<string, unknown>>;
}

/** Whether `use` and `key_ops` allow an operation; a key that says nothing allows all. */
export function allowsOperation({ members }: Key, operation: KeyOperation): boolean {
  const operations = members["key_ops"];
  if (Array.isArray(operations) && operations.length > 0 && !operations.includes(operation)) {
    return false;
  }
  const use = members["use"];
  if (typeof use !== "string" || use === "") {
    return true;
  }
  return use === (operation === "sign" || operation === "verify" ? "sig" : "enc");
}

/** Whether the key is for this algorithm; a key without `alg` is for all. */
export function allowsAlgorithm({ members }: Key, algorithm: string): boolean {
  const own = members["alg"];
  return typeof own !== "string" || own === "" || own === algorithm;
}

/** The public half of an asymmetric key; undefined for a symmetric one. */
export function publicHalf(key: Key): Key | undefined {
  switch (key.object.type) {
    case "secret":
      return undefined;
    case "public":
      return key;
    case "private":
      return { object: crypto().createPublicKey(key.object), members: key.members };
  }
}

/** A public key as the text of a JWK, members in alphabetical order. */
export function publicJwk({ object, members }: Key): string {
  const jwk: Readonly<Record<string, unknown>> = { ...members, ...object.export({ format: "jwk" }) };
  return JSON.stringify(Object.fromEntries(Object.entries(jwk).toSorted(([one], [two]) => (one < two ? -1 : 1))));
}

/** A public key as PEM (SubjectPublicKeyInfo). */
export function publicPem({ object }: Key): string {
  return object.export({ type: "spki", format: "pem" }).toString();
}

/** The bytes of a key that is to be wrapped: those of a symmetric one, the DER of another (PKCS #8 or SubjectPublicKeyInfo). */
export function serializeKey({ object }: Key): Uint8Array {
  switch (object.type) {
    case "secret":
      return object.export();
    case "public":
      return object.export({ type: "spki", format: "der" });
    case "private":
      return object.export({ type: "pkcs8", format: "der" });
  }
}

/** The bytes of a symmetric key. @throws CryptoFailure for any other */
export function symmetricBytes({ object }: Key): Buffer {
  if (object.type !== "secret") {
    throw keyTypeMismatch();
  }
  return object.export();
}
