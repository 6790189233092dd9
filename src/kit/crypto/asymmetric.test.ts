import { generateKeyPairSync } from "node:crypto";
import { describe, expect, it } from "vitest";
import { ASYMMETRIC_ALGORITHMS } from "./asymmetric.ts";
import type { Key } from "./key.ts";
import { decryptWithKey, encryptWithKey } from "./operations.ts";

const pair = generateKeyPairSync("rsa", { modulusLength: 2048 });
const privateKey: Key = { object: pair.privateKey, members: {} };
const publicKey: Key = { object: pair.publicKey, members: {} };
const ec: Key = { object: generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey, members: {} };
const none = new Uint8Array(0);
const label = Buffer.from("label");

describe.each([...ASYMMETRIC_ALGORITHMS.keys()])("%s", (name) => {
  it("gives back what it took, encrypted with either half", async () => {
    for (const key of [privateKey, publicKey]) {
      const { ciphertext, tag } = await encryptWithKey(key, name, Buffer.from("text"), none, label);
      expect(tag).toHaveLength(0);
      const opened = await decryptWithKey(privateKey, name, ciphertext, none, none, label);
      expect(Buffer.from(opened).toString()).toBe("text");
    }
  });

  it("needs an RSA key, and the private half to decrypt", async () => {
    await expect(encryptWithKey(ec, name, none, none, none)).rejects.toThrow("key type mismatch");
    await expect(decryptWithKey(publicKey, name, none, none, none, none)).rejects.toThrow("key type mismatch");
  });

  it("has a limit", async () => {
    await expect(encryptWithKey(publicKey, name, Buffer.alloc(246), none, none)).rejects.toThrow(
      "crypto/rsa: message too long for RSA key size",
    );
  });
});

it("OAEP refuses what has been changed, and another label", async () => {
  const { ciphertext } = await encryptWithKey(publicKey, "RSA-OAEP-256", Buffer.from("text"), none, label);
  for (const [bytes, given] of [
    [ciphertext.slice().fill(1, 0, 9), label],
    [ciphertext, none],
    [none, label],
  ] as const) {
    await expect(decryptWithKey(privateKey, "RSA-OAEP-256", bytes, none, none, given)).rejects.toThrow(
      "crypto/rsa: decryption error",
    );
  }
});
