import { generateKeyPairSync } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { CryptoFailure } from "./crypto-failure.ts";
import type { Key } from "./key.ts";
import { signWithKey, verifyWithKey } from "./signatures.ts";

const KEYS: readonly (readonly [string, Key["object"]])[] = [
  ["RS256", generateKeyPairSync("rsa", { modulusLength: 1024 }).privateKey],
  ["PS256", generateKeyPairSync("rsa", { modulusLength: 1024 }).privateKey],
  ["ES256", generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey],
  ["ES512", generateKeyPairSync("ec", { namedCurve: "P-521" }).privateKey],
  ["EdDSA", generateKeyPairSync("ed25519").privateKey],
];
const keys = fc.constantFrom(...KEYS);
/** Also what begins like the two numbers of an ECDSA signature. */
const signatures = fc.oneof(
  fc.uint8Array({ maxLength: 140 }),
  fc.tuple(fc.uint8Array({ maxLength: 67 }), fc.uint8Array({ maxLength: 67 })).map(([r, s]) => {
    const numbers = Buffer.concat([Buffer.of(2, r.length), r, Buffer.of(2, s.length), s]);
    return Buffer.concat([
      numbers.length < 128 ? Buffer.of(0x30, numbers.length) : Buffer.of(0x30, 0x81, numbers.length),
      numbers,
    ]);
  }),
);

test("no signature and no digest crash verification, and none of them is good", async () => {
  await fc.assert(
    fc.asyncProperty(
      keys,
      fc.uint8Array({ maxLength: 80 }),
      signatures,
      async ([algorithm, object], digest, signature) => {
        const verified: unknown = await verifyWithKey({ object, members: {} }, algorithm, digest, signature).catch(
          (error: unknown) => error,
        );
        expect(verified === false || verified instanceof CryptoFailure).toBe(true);
      },
    ),
    { numRuns: 300 },
  );
});

test("what was signed is verified, and for no other digest", async () => {
  const digests = fc.uint8Array({ minLength: 32, maxLength: 32 }).filter((bytes) => bytes.some((byte) => byte !== 0));
  await fc.assert(
    fc.asyncProperty(keys, digests, digests, async ([algorithm, object], digest, other) => {
      const key: Key = { object, members: {} };
      const signature = await signWithKey(key, algorithm, digest);
      expect(await verifyWithKey(key, algorithm, digest, signature)).toBe(true);
      expect(await verifyWithKey(key, algorithm, other, signature)).toBe(Buffer.from(other).equals(digest));
    }),
    { numRuns: 100 },
  );
});
