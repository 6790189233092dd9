import fc from "fast-check";
import { expect, test } from "vitest";
import { systemRandom } from "../../kit/random.ts";
import { stateCipherOf } from "./cipher.ts";

const key = fc.constantFrom(16, 24, 32).chain((bytes) => fc.uint8Array({ minLength: bytes, maxLength: bytes }));
const name = fc.string({ minLength: 1 }).filter((text) => !text.includes("|") && text.isWellFormed());

test("what was encrypted is decrypted, whatever bytes, key and name", () => {
  fc.assert(
    fc.property(fc.uint8Array(), key, name, (value, keyBytes, secret) => {
      const metadata = { primaryEncryptionKey: Buffer.from(keyBytes).toString("hex") };
      const cipher = stateCipherOf(metadata, { primaryEncryptionKey: secret }, systemRandom);
      const stored = cipher?.encrypt(value, false) ?? new Uint8Array();
      expect(Buffer.from(stored).toString().endsWith(`||${secret}`)).toBe(true);
      expect(Uint8Array.from(cipher?.decrypt("s", stored) ?? [])).toEqual(value);
    }),
  );
});

test("no text crashes the reader: it decrypts or says ComponentError", () => {
  const cipher = stateCipherOf({ primaryEncryptionKey: "00".repeat(16) }, { primaryEncryptionKey: "k" }, systemRandom);
  fc.assert(
    fc.property(
      fc.oneof(fc.string(), fc.base64String()),
      fc.constantFrom("", "||k", "||other", "||"),
      (text, suffix) => {
        expect(() => cipher?.decrypt("s", Buffer.from(text + suffix))).toThrow(
          expect.objectContaining({ name: "ComponentError" }),
        );
      },
    ),
  );
});
