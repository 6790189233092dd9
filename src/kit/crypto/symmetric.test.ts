import { createSecretKey } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { Key } from "./key.ts";
import { decryptWithKey, encryptWithKey } from "./operations.ts";
import { SYMMETRIC_ALGORITHMS } from "./symmetric.ts";

const hex = (text: string): Buffer => Buffer.from(text.replace(/\s/g, ""), "hex");
const keyOf = (bytes: Uint8Array): Key => ({ object: createSecretKey(bytes), members: {} });
const none = new Uint8Array(0);

describe("symmetric algorithms", () => {
  it("wrap a key as RFC 3394 section 4.6 does", async () => {
    const kek = keyOf(hex("000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F"));
    const key = hex("00112233445566778899AABBCCDDEEFF000102030405060708090A0B0C0D0E0F");
    const { ciphertext } = await encryptWithKey(kek, "A256KW", key, none, none);
    expect(Buffer.from(ciphertext).toString("hex").toUpperCase()).toBe(
      "28C9F404C4B810F4CBCCB35CFB87F8263F5786E2D80ED326CBC7F0E71A99F43BFB988B9B7A02DD21",
    );
  });

  it("encrypt with CBC and HMAC as RFC 7518 appendix B.1 does", async () => {
    const key = keyOf(hex("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"));
    const plaintext = Buffer.from(
      "A cipher system must not be required to be secret, and it must be able to fall into the hands of the enemy without inconvenience",
    );
    const associated = Buffer.from("The second principle of Auguste Kerckhoffs");
    const nonce = hex("1af38c2dc2b96ffdd86694092341bc04");
    const sealed = await encryptWithKey(key, "A128CBC-HS256", plaintext, nonce, associated);
    expect(Buffer.from(sealed.tag).toString("hex")).toBe("652c3fa36b0a7c5b3219fab3a30bc1c4");
    expect(Buffer.from(sealed.ciphertext.subarray(0, 16)).toString("hex")).toBe("c80edfa32ddf39d5ef00c0b468834279");
  });

  it("encrypt with XChaCha20-Poly1305 as draft-irtf-cfrg-xchacha-03 appendix A.3.1 does", async () => {
    const key = keyOf(hex("808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f"));
    const plaintext = Buffer.from(
      "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it.",
    );
    const nonce = hex("404142434445464748494a4b4c4d4e4f5051525354555657");
    const sealed = await encryptWithKey(key, "XC20P", plaintext, nonce, hex("50515253c0c1c2c3c4c5c6c7"));
    expect(Buffer.from(sealed.tag).toString("hex")).toBe("c0875924c1c7987947deafd8780acf49");
    expect(Buffer.from(sealed.ciphertext.subarray(0, 16)).toString("hex")).toBe("bd6d179d3e83d43b9576579493c0e939");
  });

  const big = Buffer.alloc(1024 * 1024 + 5, 7);
  it.each(
    [...SYMMETRIC_ALGORITHMS.keys()].map((name): [string, number, number] => {
      const keyBytes = /HS512/.test(name) ? 64 : /HS384/.test(name) ? 48 : Number(/A(\d+)/.exec(name)?.[1] ?? 256) / 8;
      const nonceBytes = name.startsWith("XC20P")
        ? 24
        : /CBC/.test(name)
          ? 16
          : name.endsWith("KW") && name.startsWith("A")
            ? 0
            : 12;
      return [name, /CBC-HS256/.test(name) ? 32 : keyBytes, nonceBytes];
    }),
  )("%s gives back what it took, and refuses what has been changed", async (name, keyBytes, nonceBytes) => {
    const key = keyOf(Buffer.alloc(keyBytes, 1));
    const nonce = Buffer.alloc(nonceBytes, 2);
    const aad = Buffer.from("aad");
    for (const plaintext of nonceBytes === 0 ? [big.subarray(0, 32)] : [big.subarray(0, 0), big.subarray(0, 33), big]) {
      const { ciphertext, tag } = await encryptWithKey(key, name, plaintext, nonce, aad);
      const opened = await decryptWithKey(key, name, ciphertext, nonce, tag, aad);
      expect(plaintext.equals(opened)).toBe(true);
      if (name.endsWith("CBC")) continue;
      const changed = Buffer.from(tag.length === 0 ? ciphertext : tag);
      changed[0] = (changed[0] ?? 0) ^ 1;
      const [c, t] = tag.length === 0 ? [changed, tag] : [ciphertext, changed];
      await expect(decryptWithKey(key, name, c, nonce, t, aad)).rejects.toMatchObject({ name: "CryptoFailure" });
    }
    const another = keyOf(Buffer.alloc(keyBytes + 8, 1));
    await expect(encryptWithKey(another, name, big.subarray(0, 32), nonce, aad)).rejects.toThrow("key type mismatch");
    if (nonceBytes > 0) {
      await expect(encryptWithKey(key, name, big.subarray(0, 32), none, aad)).rejects.toThrow("invalid nonce");
    }
  });

  it.each(["A256CBC-NOPAD", "A256GCMKW", "ECDH-ES", "none", ""])("have no %j, as in Dapr", async (name) => {
    const key = keyOf(Buffer.alloc(32));
    await expect(encryptWithKey(key, name, none, none, none)).rejects.toThrow("unsupported algorithm");
    await expect(decryptWithKey(key, name, none, none, none, none)).rejects.toThrow("unsupported algorithm");
  });

  it.each([
    ["A256KW", 7, "cek must be in 8-byte blocks"],
    ["A256KW", 8, "invalid plaintext length"],
    ["A256KW", 64 * 1024 + 8, "invalid plaintext length"],
  ])("%s refuses a key of %i bytes", async (name, bytes, message) => {
    const key = keyOf(Buffer.alloc(32));
    await expect(encryptWithKey(key, name, Buffer.alloc(bytes), none, none)).rejects.toThrow(message);
  });

  it.each([
    ["A256KW", 0, 0, 0, "invalid ciphertext length"],
    ["A256KW", 32, 0, 0, "integrity check failed - unexpected IV"],
    ["A256CBC", 15, 16, 0, "invalid ciphertext length"],
    ["A256CBC", 16, 16, 0, "pkcs7: incorrect padding"],
    ["A256GCM", 16, 12, 15, "invalid tag"],
    ["A256GCM", 16, 12, 16, "cipher: message authentication failed"],
    ["C20P", 16, 12, 16, "chacha20poly1305: message authentication failed"],
  ])("%s says why it does not open %i bytes", async (name, bytes, nonceBytes, tagBytes, message) => {
    const key = keyOf(Buffer.alloc(32, 9));
    const [ciphertext, nonce, tag] = [bytes, nonceBytes, tagBytes].map((each) => Buffer.alloc(each, 3));
    await expect(decryptWithKey(key, name, ciphertext!, nonce!, tag!, none)).rejects.toThrow(message);
  });
});
