import { generateKeyPairSync } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { CryptoFailure } from "./crypto-failure.ts";
import { serializeKey } from "./key.ts";
import { parseJwks, parseKey } from "./parse-key.ts";

const pem = generateKeyPairSync("ec", { namedCurve: "P-256" })
  .privateKey.export({ type: "pkcs8", format: "pem" })
  .toString();
const jwk = generateKeyPairSync("rsa", { modulusLength: 1024 }).privateKey.export({ format: "jwk" });

/** What a reader does with some bytes: anything but a key or a CryptoFailure fails the test. */
function outcome(read: () => unknown): void {
  try {
    read();
  } catch (error) {
    expect(error).toBeInstanceOf(CryptoFailure);
  }
}

const members = fc.dictionary(
  fc.constantFrom(
    "kty",
    "crv",
    "x",
    "y",
    "n",
    "e",
    "d",
    "p",
    "q",
    "dp",
    "dq",
    "qi",
    "k",
    "kid",
    "use",
    "key_ops",
    "alg",
  ),
  fc.oneof(
    fc.constantFrom("RSA", "EC", "OKP", "oct", "P-256", "Ed25519", "AQAB", "sig"),
    fc.base64String(),
    fc.jsonValue(),
  ),
);
const formats = fc.constantFrom("jwk" as const, "pem" as const, undefined);

test("no bytes crash the reader of keys", () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.uint8Array(),
        fc.string().map((text) => Buffer.from(text)),
      ),
      formats,
      (bytes, format) => {
        outcome(() => parseKey(bytes, format));
      },
    ),
  );
});

test("no members crash it, nor those of a real key that have been changed", () => {
  const changed = fc.tuple(fc.constantFrom(...Object.keys(jwk)), fc.oneof(fc.base64String(), fc.jsonValue()));
  fc.assert(fc.property(members, (all) => outcome(() => parseKey(Buffer.from(JSON.stringify(all))))));
  fc.assert(
    fc.property(changed, ([name, value]) =>
      outcome(() => parseKey(Buffer.from(JSON.stringify({ ...jwk, [name]: value })))),
    ),
  );
  fc.assert(fc.property(fc.array(members), (keys) => outcome(() => parseJwks(JSON.stringify({ keys })))));
  fc.assert(fc.property(fc.json(), (text) => outcome(() => parseJwks(text))));
});

test("no change of a PEM text crashes it", () => {
  fc.assert(
    fc.property(fc.nat(pem.length - 1), fc.string(), fc.nat(20), (at, inserted, removed) => {
      outcome(() => parseKey(Buffer.from(pem.slice(0, at) + inserted + pem.slice(at + removed))));
    }),
  );
});

test("a symmetric key is the same in every way of writing it", () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 1, maxLength: 64 }),
      fc.constantFrom("base64" as const, "base64url" as const),
      (bytes, encoding) => {
        const text = Buffer.from(bytes).toString(encoding);
        expect(Buffer.from(serializeKey(parseKey(Buffer.from(text)))).equals(bytes)).toBe(true);
        expect(Buffer.from(serializeKey(parseKey(Buffer.from(`${text}\n`)))).equals(bytes)).toBe(true);
      },
    ),
  );
});
