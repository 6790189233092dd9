import { generateKeyPairSync, randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import { allowsAlgorithm, allowsOperation, publicHalf, publicJwk, publicPem, serializeKey } from "./key.ts";
import { parseJwks, parseKey } from "./parse-key.ts";

const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
const ec = generateKeyPairSync("ec", { namedCurve: "P-256" });
const ed = generateKeyPairSync("ed25519");
const text = (value: string): Buffer => Buffer.from(value);
const jwkOf = (key: typeof rsa.privateKey, more: object = {}): string =>
  JSON.stringify({ ...key.export({ format: "jwk" }), ...more });

describe("parseKey", () => {
  it.each([
    ["PKCS #8", rsa.privateKey.export({ type: "pkcs8", format: "pem" }), "private"],
    ["PKCS #1", rsa.privateKey.export({ type: "pkcs1", format: "pem" }), "private"],
    ["a public key", rsa.publicKey.export({ type: "spki", format: "pem" }), "public"],
    ["a PKCS #1 public key", rsa.publicKey.export({ type: "pkcs1", format: "pem" }), "public"],
    ["SEC 1", ec.privateKey.export({ type: "sec1", format: "pem" }), "private"],
    ["Ed25519", ed.privateKey.export({ type: "pkcs8", format: "pem" }), "private"],
  ])("reads PEM: %s", (_name, pem, type) => {
    expect(parseKey(text(pem.toString())).object.type).toBe(type);
    expect(parseKey(text(pem.toString()), "pem").object.type).toBe(type);
  });

  it.each([
    ["rsa", rsa],
    ["ec", ec],
    ["ed25519", ed],
  ])("reads a JWK of type %s, either half", (type, pair) => {
    expect(parseKey(text(jwkOf(pair.privateKey))).object).toMatchObject({ type: "private", asymmetricKeyType: type });
    expect(parseKey(text(jwkOf(pair.publicKey))).object).toMatchObject({ type: "public", asymmetricKeyType: type });
  });

  it.each([
    ["raw bytes", Buffer.from([0, 255, 1, 2]), "00ff0102"],
    ["base64 with a line break", text("AAECAw==\n"), "00010203"],
    ["base64 without padding", text("AAECAw"), "00010203"],
    ["base64url", text("_-8"), "ffef"],
    ["text that is base64 by chance", text("0123456789abcdef"), "d35db7e39ebbf3d69b71d79f"],
    ["a JWK", text('{"kty":"oct","k":"_-8"}'), "ffef"],
    ["a brace that begins 16 bytes", text("{012345678901234"), text("{012345678901234").toString("hex")],
  ])("reads a symmetric key: %s", (_name, raw, bytes) => {
    expect(parseKey(raw).object.export().toString("hex")).toBe(bytes);
  });

  it.each([
    ["", undefined, "key is empty"],
    ["\n", undefined, "key is empty"],
    ["{}", undefined, "invalid key type from JSON ()"],
    ['{"kty":"XX"}', undefined, "invalid key type from JSON (XX)"],
    ['{"kty":"oct"}', undefined, "key is empty"],
    ['{"kty":"RSA","n":"AQ"}', undefined, "failed to parse key"],
    ["[]", "jwk", "failed to unmarshal JSON into key hint"],
    ["{nope", undefined, "failed to unmarshal JSON into key hint"],
    ["hello", "pem", "failed to parse PEM encoded key: failed to decode PEM data"],
    ["-----BEGIN X-----\nAA==\n-----END X-----", undefined, "failed to parse key"],
    [
      generateKeyPairSync("dsa", { modulusLength: 2048, divisorLength: 256 })
        .privateKey.export({ type: "pkcs8", format: "pem" })
        .toString(),
      undefined,
      "invalid key type",
    ],
  ] as const)("refuses %j", (raw, format, message) => {
    expect(() => parseKey(text(raw), format)).toThrow(message);
  });
});

describe("parseJwks", () => {
  it("reads sets, empty ones too, and a key on its own", () => {
    expect(
      parseJwks(`{"keys":[${jwkOf(rsa.privateKey, { kid: "a" })},{"kty":"oct","kid":"b","k":"AQ"}]}`),
    ).toMatchObject([{ members: { kid: "a" } }, { members: { kid: "b" } }]);
    expect(parseJwks('{"keys":[]}')).toEqual([]);
    expect(parseJwks('{"kty":"oct","k":"AQ"}')).toHaveLength(1);
  });

  it.each([
    ["{}", "invalid key type"],
    ["nope", "failed to unmarshal"],
    ['{"keys":{}}', "it is not a list"],
    ['{"keys":[{"kty":"oct","k":"AQ"},1]}', 'failed to decode key #1 in "keys"'],
  ])("refuses %s", (jwks, message) => {
    expect(() => parseJwks(jwks)).toThrow(message);
  });
});

describe("a key", () => {
  it.each([
    [{}, ["encrypt", "decrypt", "wrapKey", "unwrapKey", "sign", "verify"]],
    [{ use: "enc" }, ["encrypt", "decrypt", "wrapKey", "unwrapKey"]],
    [{ use: "sig" }, ["sign", "verify"]],
    [{ key_ops: ["sign", "decrypt"] }, ["decrypt", "sign"]],
    [{ key_ops: ["sign", "decrypt"], use: "sig" }, ["sign"]],
    [{ key_ops: [] }, ["encrypt", "decrypt", "wrapKey", "unwrapKey", "sign", "verify"]],
  ])("with %j allows %j", (members, allowed) => {
    const key = parseKey(text(JSON.stringify({ kty: "oct", k: "AQ", ...members })));
    const all = ["encrypt", "decrypt", "wrapKey", "unwrapKey", "sign", "verify"] as const;
    expect(all.filter((operation) => allowsOperation(key, operation))).toEqual(allowed);
  });

  it("with `alg` is for that alone", () => {
    const key = parseKey(text('{"kty":"oct","k":"AQ","alg":"A256KW"}'));
    expect(["A256KW", "A256GCM"].map((algorithm) => allowsAlgorithm(key, algorithm))).toEqual([true, false]);
  });

  it("shows its public half alone", () => {
    const key = publicHalf(parseKey(text(jwkOf(ec.privateKey, { kid: "k", use: "sig", more: 1 }))));
    const shown = JSON.parse(publicJwk(key!)) as Record<string, unknown>;
    expect(Object.keys(shown)).toEqual(["crv", "kid", "kty", "more", "use", "x", "y"]);
    expect(publicPem(key!)).toBe(ec.publicKey.export({ type: "spki", format: "pem" }));
    expect(publicHalf(parseKey(randomBytes(32)))).toBeUndefined();
  });

  it("is wrapped as bytes or DER", () => {
    const bytes = randomBytes(33);
    expect(bytes.equals(serializeKey(parseKey(bytes)))).toBe(true);
    const parsed = [rsa.privateKey, rsa.publicKey].map((key) => serializeKey(parseKey(text(jwkOf(key)))));
    expect(rsa.privateKey.export({ type: "pkcs8", format: "der" }).equals(parsed[0]!)).toBe(true);
    expect(rsa.publicKey.export({ type: "spki", format: "der" }).equals(parsed[1]!)).toBe(true);
  });
});
