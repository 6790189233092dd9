import { createHash, generateKeyPairSync } from "node:crypto";
import { describe, expect, it } from "vitest";
import { ComponentError } from "../../components/spi/errors.ts";
import { LiveView } from "../../inventory/view.ts";
import { systemRandom } from "../../kit/random.ts";
import { silentLogger } from "../../kit/silent-logger.ts";
import { VirtualClock } from "../../kit/virtual-clock.fixture.ts";
import type { Policy } from "../../resiliency/types.ts";
import { type CryptoBlock, createCryptoBlock } from "./crypto-block.ts";
import { bytesOf, chunksOf, testCrypto } from "./crypto.fixture.ts";

const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
const publicPem = rsa.publicKey.export({ type: "spki", format: "pem" }).toString();
const KEYS = {
  aes: Buffer.alloc(32, 5).toString("base64"),
  rsa: rsa.privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
  "sig-only": JSON.stringify({ kty: "oct", k: Buffer.alloc(32).toString("base64url"), use: "sig" }),
  "gcm-only": JSON.stringify({ kty: "oct", k: Buffer.alloc(32).toString("base64url"), alg: "A256GCM" }),
};
const none = new Uint8Array(0);
const nonce = Buffer.alloc(12, 1);
const asked = { keyName: "aes", keyWrapAlgorithm: "AES", cipher: "", omitKeyName: false, decryptionKeyName: "" };

describe("a provider", () => {
  it("has to be there, in Dapr's words", () => {
    const { block, providers } = testCrypto(KEYS);
    const empty: CryptoBlock = createCryptoBlock({
      providers: new LiveView(),
      clock: new VirtualClock(),
      random: systemRandom,
      logger: silentLogger,
    });
    expect(() => empty.provider("vault")).toThrow("crypto providers not configured");
    expect(() => block.provider("")).toThrow("invalid request: missing component name");
    expect(() => block.provider("other")).toThrow(
      expect.objectContaining({
        message: "crypto provider other not found",
        httpStatus: 400,
        grpcStatus: 3,
        entry: expect.objectContaining({ code: "ERR_CRYPTO_PROVIDER_NOT_FOUND" }) as unknown,
      }),
    );
    providers.delete("vault");
    expect(() => block.provider("")).toThrow(
      expect.objectContaining({
        message: "crypto providers not configured",
        httpStatus: 500,
        grpcStatus: 13,
        entry: expect.objectContaining({ code: "ERR_CRYPTO_PROVIDERS_NOT_CONFIGURED" }) as unknown,
      }),
    );
  });
});

describe("encrypting a document", () => {
  const vault = testCrypto(KEYS).block.provider("vault");

  it.each([
    [{ keyWrapAlgorithm: "none" }, "option Algorithm is not valid: algorithm NONE is not supported"],
    [{ keyWrapAlgorithm: "constructor" }, "option Algorithm is not valid: algorithm CONSTRUCTOR is not supported"],
    [{ cipher: "des" }, "option Cipher is not valid: cipher DES is not supported"],
    [{ keyName: "nobody" }, "failed to wrap the file key: failed to retrieve the key encryption key: key not found"],
    [
      { keyName: "broken" },
      "failed to wrap the file key: failed to retrieve the key encryption key: the vault is gone",
    ],
    [{ keyName: "rsa" }, "failed to wrap the file key: failed to encrypt data: key type mismatch"],
    [{ keyName: "sig-only" }, "failed to wrap the file key: key cannot perform the 'wrapKey' operation"],
    [{ keyName: "gcm-only" }, "failed to wrap the file key: key cannot be used with algorithm 'A256KW'"],
    [
      { keyWrapAlgorithm: "A256CBC-NOPAD" },
      "failed to wrap the file key: failed to encrypt data: unsupported algorithm",
    ],
    [{ decryptionKeyName: "k".repeat(65_536) }, "failed to sign header: header is too long"],
  ])("with %j fails before any plaintext is read", async (options, message) => {
    let read = false;
    async function* source(): AsyncGenerator<Uint8Array> {
      read = true;
      yield none;
    }
    await expect(vault.encrypt({ ...asked, ...options }, source())).rejects.toMatchObject({
      message: `failed to perform operation: ${message}`,
      httpStatus: 500,
      grpcStatus: 13,
      entry: { code: "ERR_CRYPTO" },
    });
    expect(read).toBe(false);
  });

  it("throws on what its source throws", async () => {
    const broken = new Error("the body is too large");
    async function* source(): AsyncGenerator<Uint8Array> {
      yield Buffer.from("a");
      throw broken;
    }
    await expect(vault.encrypt(asked, source()).then(bytesOf)).rejects.toBe(broken);
  });
});

describe("operations on keys", () => {
  const vault = testCrypto(KEYS).block.provider("vault");
  const use = { keyName: "aes", algorithm: "A256GCM", nonce, associatedData: none };

  it("give the public half of a key", async () => {
    expect(await vault.getKey("rsa", "pem")).toEqual({ name: "rsa", publicKey: publicPem });
    expect(JSON.parse((await vault.getKey("rsa", "json")).publicKey)).toEqual(rsa.publicKey.export({ format: "jwk" }));
    for (const name of ["aes", "nobody"]) {
      await expect(vault.getKey(name, "pem")).rejects.toMatchObject({
        message: `failed to retrieve key ${name}: key not found`,
        entry: { code: "ERR_CRYPTO_KEY" },
        httpStatus: 500,
      });
    }
  });

  it("encrypt, wrap and sign, and the other way round", async () => {
    const sealed = await vault.encryptMessage({ ...use, plaintext: Buffer.from("text") });
    expect(Buffer.from(await vault.decryptMessage({ ...use, ...sealed })).toString()).toBe("text");

    const key = Buffer.alloc(16, 3);
    const wrapped = await vault.wrapKey({ ...use, plaintext: Buffer.from(key.toString("base64")) });
    expect(key.equals(await vault.unwrapKey({ ...use, ...wrapped }))).toBe(true);

    const digest = createHash("sha256").update("text").digest();
    const signing = { keyName: "rsa", algorithm: "PS256", digest };
    const signature = await vault.sign(signing);
    expect(await vault.verify({ ...signing, signature })).toBe(true);
    expect(await vault.verify({ ...signing, signature: signature.subarray(1) })).toBe(false);
  });

  it("tell callers no more than that they failed", async () => {
    const wrong = { ...use, ciphertext: Buffer.alloc(20), tag: Buffer.alloc(16) };
    const signing = { keyName: "nobody", algorithm: "RS256", digest: none };
    for (const [what, work] of [
      ["encrypt", vault.encryptMessage({ ...use, plaintext: none, keyName: "nobody" })],
      ["decrypt", vault.decryptMessage(wrong)],
      ["wrap key", vault.wrapKey({ ...use, plaintext: Buffer.alloc(16), algorithm: "A128GCM" })],
      ["unwrap key", vault.unwrapKey(wrong)],
      ["sign", vault.sign(signing)],
      ["verify signature", vault.verify({ ...signing, signature: none })],
    ] as const) {
      await expect(work).rejects.toMatchObject({
        message: `failed to perform operation: failed to ${what}`,
        entry: { code: "ERR_CRYPTO" },
      });
    }
    await expect(vault.wrapKey({ ...use, plaintext: none })).rejects.toThrow(
      "failed to perform operation: failed to parse plaintext key: key is empty",
    );
  });
});

describe("calls of a provider", () => {
  const recorded = (): { readonly lines: string[]; readonly calls: Parameters<typeof testCrypto>[1] } => {
    const lines: string[] = [];
    const of = (component: string) => ({
      record: (operation: string, success: boolean) => void lines.push(`${component} ${operation} ${success}`),
    });
    return { lines, calls: { calls: { of }, clock: new VirtualClock() } };
  };

  it("are counted, each of them", async () => {
    const { lines, calls } = recorded();
    const vault = testCrypto(KEYS, calls).block.provider("vault");
    const document = await bytesOf(await vault.encrypt(asked, chunksOf("text")));
    await bytesOf(await vault.decrypt({ keyName: "" }, chunksOf(document)));
    await vault.decrypt({ keyName: "nobody" }, chunksOf(document)).catch(() => undefined);
    await vault.getKey("rsa", "pem");
    await vault.sign({ keyName: "aes", algorithm: "RS256", digest: none }).catch(() => undefined);
    expect(lines).toEqual([
      "vault crypto_op true",
      "vault crypto_op true",
      "vault crypto_op false",
      "vault get true",
      "vault crypto_op false",
    ]);
  });

  it("go through the component's policy", async () => {
    const asks: string[] = [];
    const policy: Pick<Policy, "run"> = {
      async run(attempt, run) {
        await attempt(run!.signal!, 1).catch(() => undefined);
        return attempt(run!.signal!, 2);
      },
    };
    const policies = {
      component(...ask: readonly string[]) {
        asks.push(ask.join(" "));
        return policy as Policy;
      },
    };
    const { lines, calls } = recorded();
    const vault = testCrypto(KEYS, { ...calls, policies }).block.provider("vault");
    await expect(vault.getKey("broken", "pem")).rejects.toThrow("failed to retrieve key broken: the vault is gone");
    expect([asks, lines]).toEqual([["vault Crypto outbound"], ["vault get false"]]);
  });

  it("throw on what is a bug", async () => {
    const bug = new TypeError("undefined is not a function");
    const policy: Pick<Policy, "run"> = { run: () => Promise.reject(bug) };
    const vault = testCrypto(KEYS, { policies: { component: () => policy as Policy } }).block.provider("vault");
    await expect(vault.getKey("aes", "pem")).rejects.toBe(bug);
    await expect(vault.encrypt(asked, chunksOf())).rejects.toBe(bug);
    expect(bug).not.toBeInstanceOf(ComponentError);
  });
});
