import { describe, expect, test } from "vitest";
import { systemRandom } from "../../kit/random.ts";
import { type StateCipher, stateCipherOf } from "./cipher.ts";

const PRIMARY = "000102030405060708090a0b0c0d0e0f";
const OLD = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

/** Written by TryEncryptValue of dapr/dapr pkg/encryption at 1.18.3 with the two keys above. */
const BY_DAPR = {
  primary: "SgdNQ78gL6hos2tTgdL7/hZweLnTY86naAx+CeNYFmd2tBIkg/VE0WQ=||primarykey",
  old: "8BgMjgocUxWUCIc4jlRcCJ/IpRhgId4soQ/3yvEU7uEBvnPUokwjkp4=||oldkey",
};

function cipherOf(metadata: Record<string, string>, names: Record<string, string>): StateCipher {
  const cipher = stateCipherOf(metadata, names, systemRandom);
  if (cipher === undefined) {
    throw new Error("no cipher");
  }
  return cipher;
}

const cipher = cipherOf(
  { primaryEncryptionKey: PRIMARY, secondaryEncryptionKey: OLD },
  { primaryEncryptionKey: "primarykey", secondaryEncryptionKey: "oldkey" },
);

const read = (stored: string): string => Buffer.from(cipher.decrypt("store", Buffer.from(stored))).toString();
const written = (value: string, valueIsJson: boolean): string =>
  Buffer.from(cipher.encrypt(Buffer.from(value), valueIsJson)).toString();

describe("StateCipher", () => {
  test("reads what Dapr wrote, with the primary and with the secondary key", () => {
    expect(read(BY_DAPR.primary)).toBe("hello, wörld");
    expect(read(BY_DAPR.old)).toBe("hello, wörld");
  });

  test("writes with the primary key, in Dapr's format and a new nonce each time", () => {
    const first = written("hello, wörld", false);
    expect(first).toMatch(/^[A-Za-z0-9+/]{55}=\|\|primarykey$/);
    expect(first).not.toBe(written("hello, wörld", false));
    expect(read(first)).toBe("hello, wörld");
  });

  test("of a JSON string the characters are encrypted, of other JSON its text", () => {
    expect(read(written('"a\\"b\\u00e9"', true))).toBe('a"bé');
    expect(read(written('{"a":1}', true))).toBe('{"a":1}');
    expect(read(written('"quoted"', false))).toBe('"quoted"');
  });

  test.each([
    ["abc||", "could not decrypt data for state store store: encryption key name not found on record"],
    ["abc", "could not decrypt data for state store store: encryption key name not found on record"],
    ["abc||lost", "could not decrypt data for state store store: no encryption key named lost"],
    ["!!!||primarykey", "illegal base64 data at input byte 0"],
    ["AAAA||primarykey", "cipher: message authentication failed"],
    [`${"A".repeat(44)}||primarykey`, "cipher: message authentication failed"],
  ])("%j cannot be read: %s", (stored, message) => {
    expect(() => read(stored)).toThrow(message);
  });

  test("a changed character is noticed", () => {
    const stored = BY_DAPR.primary.replace("SgdN", "SgdM");
    expect(() => read(stored)).toThrow("cipher: message authentication failed");
  });
});

describe("stateCipherOf", () => {
  const names = { primaryEncryptionKey: "k" };

  test("needs a primary key that came from a secret", () => {
    expect(stateCipherOf({}, names, systemRandom)).toBeUndefined();
    expect(stateCipherOf({ primaryEncryptionKey: PRIMARY }, {}, systemRandom)).toBeUndefined();
    expect(
      stateCipherOf({ secondaryEncryptionKey: OLD }, { secondaryEncryptionKey: "k" }, systemRandom),
    ).toBeUndefined();
  });

  test.each([
    ["zz", "encoding/hex: invalid byte: U+007A 'z'"],
    ["abc", "encoding/hex: odd length hex string"],
    ["0011", "crypto/aes: invalid key size 2"],
  ])("refuses the key %j as Go does", (primaryEncryptionKey, message) => {
    expect(() => stateCipherOf({ primaryEncryptionKey }, names, systemRandom)).toThrow(message);
  });

  test("takes 24 bytes too", () => {
    const middle = cipherOf({ primaryEncryptionKey: "00".repeat(24) }, names);
    expect(Buffer.from(middle.decrypt("s", middle.encrypt(Buffer.from("x"), false))).toString()).toBe("x");
  });
});
