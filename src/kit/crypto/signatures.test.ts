import { constants, createHash, generateKeyPairSync, sign, verify } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { Key } from "./key.ts";
import { signWithKey, verifyWithKey } from "./signatures.ts";

const keyOf = (object: Key["object"]): Key => ({ object, members: {} });
const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
const odd = generateKeyPairSync("rsa", { modulusLength: 2049 });
const curves = ["P-256", "P-384", "P-521"].map((namedCurve) => generateKeyPairSync("ec", { namedCurve }));
const ed25519 = generateKeyPairSync("ed25519");
const message = Buffer.from("a message");
const digestOf = (hash: string): Buffer => createHash(hash).update(message).digest();

const { RSA_PKCS1_PSS_PADDING: pss, RSA_PKCS1_PADDING: pkcs1, RSA_PSS_SALTLEN_AUTO: auto } = constants;
/** Algorithm, hash, key, and how OpenSSL is asked for the same. */
const ROWS = [256, 384, 512].flatMap((bits) => [
  [`RS${bits}`, `sha${bits}`, rsa, { padding: pkcs1 }] as const,
  [`PS${bits}`, `sha${bits}`, rsa, { padding: pss, saltLength: auto }] as const,
  [`PS${bits}`, `sha${bits}`, odd, { padding: pss, saltLength: auto }] as const,
  ...curves.map((curve) => [`ES${bits}`, `sha${bits}`, curve, {}] as const),
]);

describe.each(ROWS)("%s", (algorithm, hash, { privateKey, publicKey }, options) => {
  const digest = digestOf(hash);

  it("signs digests so that OpenSSL verifies them", async () => {
    for (let round = 0; round < 8; round += 1) {
      const signature = await signWithKey(keyOf(privateKey), algorithm, digest);
      expect(verify(hash, message, { key: publicKey, ...options }, signature)).toBe(true);
    }
  });

  it("verifies what OpenSSL signed, with either half", async () => {
    for (let round = 0; round < 8; round += 1) {
      const signature = sign(hash, message, { key: privateKey, ...options });
      expect(await verifyWithKey(keyOf(publicKey), algorithm, digest, signature)).toBe(true);
      expect(await verifyWithKey(keyOf(privateKey), algorithm, digest, signature)).toBe(true);
    }
  });

  it("refuses signatures that are changed, cut off, empty, or of another digest", async () => {
    const signature = Buffer.from(await signWithKey(keyOf(privateKey), algorithm, digest));
    const changed = Buffer.from(signature);
    changed[changed.length - 1] = (changed.at(-1) ?? 0) ^ 1;
    const another = Buffer.from(digest);
    another[3] = (another[3] ?? 0) ^ 1;
    const key = keyOf(publicKey);
    for (const wrong of [
      changed,
      signature.subarray(1),
      signature.subarray(0, 9),
      Buffer.alloc(0),
      Buffer.alloc(256),
    ]) {
      expect(await verifyWithKey(key, algorithm, digest, wrong)).toBe(false);
    }
    expect(await verifyWithKey(key, algorithm, another, signature)).toBe(false);
  });
});

it("ECDSA takes no signature for the negated digest, nor for the negated key", async () => {
  const { privateKey, publicKey } = curves[0]!;
  const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
  const digest = digestOf("sha256");
  const negated = (order - (BigInt(`0x${digest.toString("hex")}`) % order)).toString(16).padStart(64, "0");
  const signature = await signWithKey(keyOf(privateKey), "ES256", digest);
  expect(await verifyWithKey(keyOf(publicKey), "ES256", digest, signature)).toBe(true);
  expect(await verifyWithKey(keyOf(publicKey), "ES256", Buffer.from(negated, "hex"), signature)).toBe(false);
});

it("EdDSA signs whole messages", async () => {
  const signature = await signWithKey(keyOf(ed25519.privateKey), "EdDSA", message);
  expect(verify(null, message, ed25519.publicKey, signature)).toBe(true);
  expect(await verifyWithKey(keyOf(ed25519.publicKey), "EdDSA", message, signature)).toBe(true);
  expect(await verifyWithKey(keyOf(ed25519.publicKey), "EdDSA", message, signature.subarray(1))).toBe(false);
});

it.each([
  ["RS256", ed25519.privateKey],
  ["PS256", curves[0]!.privateKey],
  ["ES256", rsa.privateKey],
  ["EdDSA", rsa.privateKey],
  ["RS256", rsa.publicKey],
])("%s refuses a key that is not for it", async (algorithm, object) => {
  await expect(signWithKey(keyOf(object), algorithm, digestOf("sha256"))).rejects.toThrow("key type mismatch");
});

it("says what else does not go", async () => {
  const key = keyOf(rsa.privateKey);
  await expect(signWithKey(key, "HS256", message)).rejects.toThrow("unsupported algorithm");
  await expect(verifyWithKey(key, "HS256", message, message)).rejects.toThrow("unsupported algorithm");
  await expect(signWithKey(key, "RS256", message)).rejects.toThrow("crypto/rsa: input must be hashed message");
  await expect(verifyWithKey(key, "RS256", message, message)).rejects.toThrow("input must be hashed message");
  expect(await verifyWithKey(key, "PS256", message, message)).toBe(false);
});
