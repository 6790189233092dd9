import { generateKeyPairSync } from "node:crypto";
import { describe, expect, it } from "vitest";
import { testCrypto } from "../../blocks/crypto/crypto.fixture.ts";
import { silentLogger } from "../../kit/silent-logger.ts";
import type { HeaderList } from "../../net/http/types.ts";
import { callInProcess } from "../../net/http/in-process.ts";
import { collectBody } from "../../app/body.ts";
import { VirtualClock } from "../../kit/virtual-clock.fixture.ts";
import { createHttpDoor } from "./door.ts";
import { cryptoRoutes } from "./crypto.ts";
import { subtleCryptoRoutes } from "./subtle-crypto.ts";

const LIMIT = 2 * 1024 * 1024;
const { block } = testCrypto({
  aes: Buffer.alloc(32, 5).toString("base64"),
  rsa: generateKeyPairSync("rsa", { modulusLength: 2048 })
    .privateKey.export({ type: "pkcs8", format: "pem" })
    .toString(),
});

function doorWith(maxBodyBytes: number) {
  const errors: string[] = [];
  const door = createHttpDoor({
    routes: [
      ...cryptoRoutes(block, { maxBodyBytes, logger: silentLogger }),
      ...subtleCryptoRoutes(block, { maxBodyBytes }),
    ],
    fallback: (exchange) => exchange.respond(299, [], "fallback"),
    apiToken: "",
    allowedOrigins: "",
    accessRules: { allowed: [], denied: [] },
    observer: { exchangeDone: () => undefined, errorAnswered: (error) => void errors.push(error.entry.code) },
    clock: new VirtualClock(),
    logger: silentLogger,
  });
  const call = async (method: string, target: string, headers: HeaderList, body: Uint8Array | string) => {
    const response = await callInProcess(door, { method, target, headers, body: Buffer.from(body) });
    const bytes = Buffer.from(await collectBody(response.body, 64 * 1024 * 1024));
    return { status: response.status, headers: response.headers, bytes, text: bytes.toString() };
  };
  return { call, errors };
}

const { call } = doorWith(LIMIT);
const encrypt = (headers: HeaderList, body: Uint8Array | string, name = "vault") =>
  call("PUT", `/v1.0-alpha1/crypto/${name}/encrypt`, headers, body);
const decrypt = (headers: HeaderList, body: Uint8Array | string, name = "vault") =>
  call("PUT", `/v1.0-alpha1/crypto/${name}/decrypt`, headers, body);
const KEY: HeaderList = ["dapr-key-name", "aes", "dapr-key-wrap-algorithm", "aes"];

describe("documents over HTTP", () => {
  it("are answered as octets", async () => {
    const document = await encrypt(KEY, "text");
    expect([document.status, document.headers]).toEqual([
      200,
      expect.arrayContaining([
        "content-type",
        "application/octet-stream",
        "content-length",
        String(document.bytes.length),
      ]),
    ]);
    expect(document.text.startsWith('dapr.io/enc/v1\n{"k":"aes","kw":1,"wfk":"')).toBe(true);
    expect(await decrypt([], document.bytes)).toMatchObject({ status: 200, text: "text" });
  });

  it.each([
    [["dapr-omit-decryption-key-name", "1"], undefined, 1],
    [["dapr-omit-decryption-key-name", "no"], "aes", 1],
    [["dapr-decryption-key-name", "other"], "other", 1],
    [["dapr-data-encryption-cipher", "chacha20-poly1305"], "aes", 2],
  ])("follow the headers %j", async (headers, name, cipher) => {
    const { text } = await encrypt([...KEY, ...headers], "text");
    expect(JSON.parse(text.split("\n")[1] ?? "")).toMatchObject({
      ...(name === undefined ? {} : { k: name }),
      cph: cipher,
    });
    expect(text.includes('"k":')).toBe(name !== undefined);
  });

  it("are decrypted with the key that the header names", async () => {
    const { bytes } = await encrypt([...KEY, "dapr-omit-decryption-key-name", "true"], "text");
    expect(await decrypt(["dapr-key-name", "aes"], bytes)).toMatchObject({ status: 200, text: "text" });
    expect(await decrypt([], bytes)).toMatchObject({
      status: 500,
      text: '{"errorCode":"ERR_CRYPTO","message":"failed to perform operation: document\'s manifest does not contain a key name, and no key name was provided"}',
    });
  });

  it.each([
    [[], "vault", 400, "ERR_BAD_REQUEST", "invalid request: missing header 'dapr-key-name'"],
    [
      ["dapr-key-name", "aes"],
      "vault",
      400,
      "ERR_BAD_REQUEST",
      "invalid request: missing header 'dapr-key-wrap-algorithm'",
    ],
    [[], "none", 400, "ERR_CRYPTO_PROVIDER_NOT_FOUND", "crypto provider none not found"],
  ])("are refused with %j for %s", async (headers, name, status, errorCode, message) => {
    const answer = await encrypt(headers, "text", name);
    expect([answer.status, JSON.parse(answer.text)]).toEqual([status, { errorCode, message }]);
  });

  it("that are broken within have Dapr's generic code", async () => {
    const { bytes } = await encrypt(KEY, Buffer.alloc(100_000));
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
    expect(await decrypt([], bytes)).toMatchObject({
      status: 500,
      text: '{"errorCode":"ERROR","message":"error processing segment 1: failed to decrypt segment"}',
    });
  });

  it("that are too large are refused with the limit", async () => {
    const answer = await encrypt(KEY, Buffer.alloc(LIMIT + 1));
    expect([answer.status, answer.text]).toEqual([413, expect.stringContaining(`the limit of ${LIMIT} bytes`)]);
  });

  it("longer than what is held stream where bodies have no limit", async () => {
    const unlimited = doorWith(0);
    const plaintext = Buffer.alloc(9 * 1024 * 1024, 3);
    const document = await unlimited.call("PUT", "/v1.0-alpha1/crypto/vault/encrypt", KEY, plaintext);
    expect(document.headers.includes("content-length")).toBe(false);
    const back = await unlimited.call("PUT", "/v1.0-alpha1/crypto/vault/decrypt", [], document.bytes);
    expect(back.bytes.equals(plaintext)).toBe(true);
    document.bytes[document.bytes.length - 1] = (document.bytes.at(-1) ?? 0) ^ 1;
    await expect(unlimited.call("PUT", "/v1.0-alpha1/crypto/vault/decrypt", [], document.bytes)).rejects.toThrow();
  });
});

describe("operations on keys over HTTP", () => {
  const post = async (operation: string, body: unknown, name = "vault"): Promise<[number, unknown]> => {
    const text = typeof body === "string" ? body : JSON.stringify(body);
    const answer = await call("POST", `/v1.0-alpha1/subtlecrypto/${name}/${operation}`, [], text);
    return [answer.status, JSON.parse(answer.text)];
  };
  const b64 = (text: string | Buffer): string => Buffer.from(text).toString("base64");

  it("speak protobuf JSON, zero values left out", async () => {
    const use = { algorithm: "A256GCM", keyName: "aes", nonce: b64(Buffer.alloc(12)), unknown: 1 };
    const [status, sealed] = await post("encrypt", { ...use, plaintext: b64("text") });
    expect([status, sealed]).toEqual([
      200,
      { ciphertext: expect.any(String) as unknown, tag: expect.any(String) as unknown },
    ]);
    expect(await post("decrypt", { ...use, ...(sealed as object) })).toEqual([200, { plaintext: b64("text") }]);

    const [, wrapped] = await post("wrapkey", {
      ...use,
      algorithm: "A256KW",
      plaintextKey: b64(b64(Buffer.alloc(16, 1))),
    });
    expect(Object.keys(wrapped as object)).toEqual(["wrappedKey"]);
    expect(await post("unwrapkey", { ...use, algorithm: "A256KW", ...(wrapped as object) })).toEqual([
      200,
      { plaintextKey: b64(Buffer.alloc(16, 1)) },
    ]);

    const signing = { algorithm: "RS256", keyName: "rsa", digest: b64(Buffer.alloc(32, 1)) };
    const [, signed] = await post("sign", signing);
    expect(await post("verify", { ...signing, ...(signed as object) })).toEqual([200, { valid: true }]);
    expect(await post("verify", { ...signing, signature: b64("no") })).toEqual([200, {}]);
  });

  it("show public keys", async () => {
    expect(await post("getkey", { name: "rsa" })).toEqual([
      200,
      { name: "rsa", publicKey: expect.stringContaining("-----BEGIN PUBLIC KEY-----") as unknown },
    ]);
    const [, json] = await post("getkey", { name: "rsa", format: "JSON" });
    expect(JSON.parse((json as { publicKey: string }).publicKey)).toMatchObject({ kty: "RSA", e: "AQAB" });
  });

  it.each([
    ["getkey", { name: "rsa", format: 7 }, 400, "ERR_BAD_REQUEST", "invalid request: invalid key format"],
    ["getkey", { name: "aes" }, 500, "ERR_CRYPTO_KEY", "failed to retrieve key aes: key not found"],
    ["encrypt", {}, 500, "ERR_CRYPTO", "failed to perform operation: failed to encrypt"],
    ["unwrapkey", "", 500, "ERR_CRYPTO", "failed to perform operation: failed to unwrap key"],
  ])("refuse %s %j", async (operation, body, status, errorCode, message) => {
    expect(await post(operation, body)).toEqual([status, { errorCode, message }]);
  });

  it("refuse what is no JSON, and providers that are not there", async () => {
    expect(await post("sign", "{")).toMatchObject([400, { errorCode: "ERR_MALFORMED_REQUEST" }]);
    expect(await post("sign", {}, "none")).toMatchObject([400, { errorCode: "ERR_CRYPTO_PROVIDER_NOT_FOUND" }]);
  });
});
