import { generateKeyPairSync, randomBytes } from "node:crypto";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { component } from "../harness/resources.ts";
import { failureOf } from "./dapr-js.ts";
import { type ClientSystem, startClientSystem } from "./dapr-js-system.ts";

const SEGMENT = 64 * 1024;
const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });

// The SDK encrypts over gRPC only.
describe("cryptography through the official SDK", () => {
  let system: ClientSystem;
  beforeAll(async () => {
    system = await startClientSystem({
      protocol: "grpc",
      files: {
        aes: randomBytes(32).toString("base64"),
        "rsa.pem": rsa.privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
        "public.pem": rsa.publicKey.export({ type: "spki", format: "pem" }).toString(),
      },
      resources: (folder) => component("vault", "crypto.dapr.localstorage", { path: folder }),
    });
  });
  afterAll(() => system.stop());

  const aes = { componentName: "vault", keyName: "aes", keyWrapAlgorithm: "A256KW" } as const;

  it.each([1, SEGMENT - 1, SEGMENT, SEGMENT + 1, 1024 * 1024])(
    "encrypts %i bytes and decrypts them",
    async (length) => {
      const plaintext = randomBytes(length);
      const { crypto } = system.client;
      for (const dataEncryptionCipher of ["aes-gcm", "chacha20-poly1305"] as const) {
        const document = await crypto.encrypt(plaintext, { ...aes, dataEncryptionCipher });
        expect(document.toString("latin1", 0, 15)).toBe("dapr.io/enc/v1\n");
        expect((await crypto.decrypt(document, { componentName: "vault" })).equals(plaintext)).toBe(true);
      }
    },
  );

  it("streams", async () => {
    const plaintext = randomBytes(5 * 1024 * 1024);
    const encrypted = await system.client.crypto.encrypt(aes);
    const decrypted = await system.client.crypto.decrypt({ componentName: "vault" });
    const result = buffer(Readable.from([plaintext]).pipe(encrypted).pipe(decrypted));
    expect((await result).equals(plaintext)).toBe(true);
  });

  it("encrypts with a public key for whoever has the private one", async () => {
    const { crypto } = system.client;
    const document = await crypto.encrypt(Buffer.from("text"), {
      componentName: "vault",
      keyName: "public.pem",
      keyWrapAlgorithm: "RSA",
      decryptionKeyName: "rsa.pem",
    });
    expect((await crypto.decrypt(document, { componentName: "vault" })).toString()).toBe("text");
    const unnamed = await crypto.encrypt(Buffer.from("text"), { ...aes, omitDecryptionKeyName: true });
    expect((await crypto.decrypt(unnamed, { componentName: "vault", keyName: "aes" })).toString()).toBe("text");
    expect(await failureOf(crypto.decrypt(unnamed, { componentName: "vault" }))).toMatch(/no key name was provided/);
  });

  it("tells what went wrong", async () => {
    const { crypto } = system.client;
    expect(await failureOf(crypto.encrypt(Buffer.from("x"), { ...aes, componentName: "none" }))).toMatch(
      /crypto provider none not found/,
    );
    expect(await failureOf(crypto.encrypt(Buffer.from("x"), { ...aes, keyName: "none" }))).toMatch(
      /failed to wrap the file key/,
    );
    const document = await crypto.encrypt(randomBytes(100), aes);
    document[document.length - 1] = (document.at(-1) ?? 0) ^ 1;
    expect(await failureOf(crypto.decrypt(document, { componentName: "vault" }))).toMatch(
      /error processing segment 0: failed to decrypt segment/,
    );
  });
});
