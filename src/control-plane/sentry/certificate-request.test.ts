import { generateKeyPairSync } from "node:crypto";
import { expect, it } from "vitest";
import { publicKeyOfRequest } from "./certificate-request.ts";
import { requestDer, toPem } from "./sentry.fixture.ts";

async function refusal(pem: Uint8Array): Promise<unknown> {
  return await publicKeyOfRequest(pem).then(
    () => "taken",
    (error: unknown) => error,
  );
}

it("gives the key whose owner signed", async () => {
  expect((await publicKeyOfRequest(toPem(await requestDer()))).asymmetricKeyType).toBe("ed25519");
});

it("refuses a request whose signature is another's", async () => {
  const der = Buffer.from(await requestDer());
  der[der.length - 1] = (der.at(-1) ?? 0) ^ 1;
  expect(await refusal(toPem(der))).toMatchObject({ code: 3, message: "invalid signature" });
});

it("refuses a request whose key was exchanged after signing", async () => {
  const [one, other] = [Buffer.from(await requestDer()), Buffer.from(await requestDer())];
  const oid = Buffer.from("06032b6570", "hex");
  const at = one.indexOf(oid) + oid.length + 3;
  other.copy(one, at, other.indexOf(oid) + oid.length + 3, other.indexOf(oid) + oid.length + 3 + 32);
  expect(await refusal(toPem(one))).toMatchObject({ code: 3, message: "invalid signature" });
});

it.each([
  ["nothing", Buffer.alloc(0)],
  ["no PEM", Buffer.from("hello")],
  ["another label", Buffer.from("-----BEGIN PRIVATE KEY-----\nMC4CAQBLAHBLAH\n-----END PRIVATE KEY-----")],
  ["an end that is another's", Buffer.from("-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE-----")],
])("refuses %s", async (_what, pem) => {
  expect(await refusal(pem)).toMatchObject({ code: 3, message: "invalid certificate signing request" });
});

it("refuses a request that is cut off at any byte, or has something behind it", async () => {
  const der = Buffer.from(await requestDer());
  for (let length = 0; length < der.length; length++) {
    expect(await refusal(toPem(der.subarray(0, length)))).toMatchObject({ code: 3 });
  }
  expect(await refusal(toPem(Buffer.concat([der, Buffer.from([0])])))).toMatchObject({
    code: 3,
    message: "failed to parse certificate signing request: it is cut off, or something follows it",
  });
});

it("refuses one that is too large before it is read", async () => {
  expect(await refusal(Buffer.alloc(40_000, 0x41))).toMatchObject({
    code: 3,
    message: "invalid certificate signing request: it has 40000 bytes, more than the limit of 32768",
  });
});

/** A request for a key, with a signature that nobody made: the key is looked at first. */
function unsigned(spki: Buffer): Buffer {
  const element = (tag: number, content: Buffer): Buffer => {
    const { length } = content;
    const head = length < 128 ? [tag, length] : [tag, 0x82, length >> 8, length & 0xff];
    return Buffer.concat([Buffer.from(head), content]);
  };
  const info = element(0x30, Buffer.concat([Buffer.from([2, 1, 0, 0x30, 0]), spki, Buffer.from([0xa0, 0])]));
  const algorithm = Buffer.from("300d06092a864886f70d01010b0500", "hex");
  return element(0x30, Buffer.concat([info, algorithm, element(3, Buffer.from([0, 1, 2]))]));
}

it.each([
  [
    "an RSA key too small to be one",
    "rsa",
    { modulusLength: 512 },
    "an RSA key of 512 bits; from 1024 to 8192 are taken",
  ],
  ["a curve that TLS does not have", "ec", { namedCurve: "secp256k1" }, "keys of the kind secp256k1 are not taken"],
  ["a key that cannot sign", "x25519", {}, "keys of the kind x25519 are not taken"],
])("refuses %s", async (_what, type, options, message) => {
  const { publicKey } = generateKeyPairSync(type as "rsa", options as { modulusLength: number });
  const der = unsigned(publicKey.export({ format: "der", type: "spki" }));
  expect(await refusal(toPem(der))).toMatchObject({ code: 3, message: expect.stringContaining(message) as string });
});

it("refuses a huge RSA key without checking a signature with it", async () => {
  const spki = (bits: number): Buffer => {
    const modulus = Buffer.alloc(bits / 8 + 1, 0xff);
    modulus[0] = 0;
    const sized = (tag: number, content: Buffer): Buffer =>
      Buffer.concat([Buffer.from([tag, 0x82, content.length >> 8, content.length & 0xff]), content]);
    const key = sized(0x30, Buffer.concat([sized(2, modulus), Buffer.from("0203010001", "hex")]));
    const bitString = sized(3, Buffer.concat([Buffer.from([0]), key]));
    return sized(0x30, Buffer.concat([Buffer.from("300d06092a864886f70d0101010500", "hex"), bitString]));
  };
  expect(await refusal(toPem(unsigned(spki(16_384))))).toMatchObject({
    code: 3,
    message: expect.stringContaining("an RSA key of 16384 bits; from 1024 to 8192 are taken") as string,
  });
});
