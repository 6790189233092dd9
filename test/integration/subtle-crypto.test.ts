import { create } from "@bufbuild/protobuf";
import { createHash, createPublicKey, generateKeyPairSync, verify } from "node:crypto";
import { afterAll, beforeAll, expect, it } from "vitest";
import {
  SubtleDecryptRequestSchema,
  SubtleEncryptRequestSchema,
  SubtleGetKeyRequest_KeyFormat,
  SubtleGetKeyRequestSchema,
  SubtleSignRequestSchema,
  SubtleUnwrapKeyRequestSchema,
  SubtleVerifyRequestSchema,
  SubtleWrapKeyRequestSchema,
} from "../../src/wire/gen/dapr/proto/runtime/v1/crypto_pb.js";
import { daprMethods } from "../harness/grpc-caller.ts";
import { component } from "../harness/resources.ts";
import { startTestSidecar, type TestSidecar } from "../harness/test-sidecar.ts";

const ec = generateKeyPairSync("ec", { namedCurve: "P-384" });
const keys = [
  { kty: "oct", kid: "aes", k: Buffer.alloc(32, 1).toString("base64url") },
  { ...ec.privateKey.export({ format: "jwk" }), kid: "ec", use: "sig" },
];

let sidecar: TestSidecar;
beforeAll(async () => {
  sidecar = await startTestSidecar({
    resources: component("vault", "crypto.dapr.jwks", { jwks: JSON.stringify({ keys }) }),
  });
});
afterAll(() => sidecar.stop());

const componentName = "vault";
const post = async (operation: string, body: unknown): Promise<Record<string, unknown>> => {
  const path = `/v1.0-alpha1/subtlecrypto/vault/${operation}`;
  const response = await sidecar.fetch(path, { method: "POST", body: JSON.stringify(body) });
  return (await response.json()) as Record<string, unknown>;
};
const b64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64");

it("a message encrypted over gRPC is decrypted over HTTP, and the other way round", async () => {
  const use = { keyName: "aes", algorithm: "XC20P", nonce: Buffer.alloc(24, 2), associatedData: Buffer.from("a") };
  const http = { keyName: "aes", algorithm: "XC20P", nonce: b64(use.nonce), associatedData: b64(use.associatedData) };
  const plaintext = Buffer.from("text");
  const sealed = await sidecar.grpc.call(
    daprMethods.subtleEncryptAlpha1,
    create(SubtleEncryptRequestSchema, { componentName, ...use, plaintext }),
  );
  const overHttp = { ciphertext: b64(sealed.ciphertext), tag: b64(sealed.tag) };
  expect(await post("decrypt", { ...http, ...overHttp })).toEqual({ plaintext: b64(plaintext) });
  expect(await post("encrypt", { ...http, plaintext: b64(plaintext) })).toEqual(overHttp);
  const opened = await sidecar.grpc.call(
    daprMethods.subtleDecryptAlpha1,
    create(SubtleDecryptRequestSchema, { componentName, ...use, ciphertext: sealed.ciphertext, tag: sealed.tag }),
  );
  expect(Buffer.from(opened.plaintext).toString()).toBe("text");
});

it("a key is wrapped and unwrapped", async () => {
  const use = { componentName, keyName: "aes", algorithm: "A256KW" };
  const plaintextKey = Buffer.from(b64(Buffer.alloc(16, 9)));
  const { wrappedKey } = await sidecar.grpc.call(
    daprMethods.subtleWrapKeyAlpha1,
    create(SubtleWrapKeyRequestSchema, { ...use, plaintextKey }),
  );
  const unwrapped = await sidecar.grpc.call(
    daprMethods.subtleUnwrapKeyAlpha1,
    create(SubtleUnwrapKeyRequestSchema, { ...use, wrappedKey }),
  );
  expect(Buffer.from(unwrapped.plaintextKey)).toEqual(Buffer.alloc(16, 9));
});

it("a digest is signed, and the signature holds with the public key that is given", async () => {
  const digest = createHash("sha384").update("text").digest();
  const use = { componentName, keyName: "ec", algorithm: "ES384", digest };
  const { signature } = await sidecar.grpc.call(daprMethods.subtleSignAlpha1, create(SubtleSignRequestSchema, use));
  for (const format of [SubtleGetKeyRequest_KeyFormat.PEM, SubtleGetKeyRequest_KeyFormat.JSON]) {
    const { name, publicKey } = await sidecar.grpc.call(
      daprMethods.subtleGetKeyAlpha1,
      create(SubtleGetKeyRequestSchema, { componentName, name: "ec", format }),
    );
    const key =
      format === SubtleGetKeyRequest_KeyFormat.PEM
        ? createPublicKey(publicKey)
        : createPublicKey({ key: JSON.parse(publicKey) as object, format: "jwk" });
    expect([name, verify("sha384", Buffer.from("text"), key, signature)]).toEqual(["ec", true]);
  }
  const verified = await sidecar.grpc.call(
    daprMethods.subtleVerifyAlpha1,
    create(SubtleVerifyRequestSchema, { ...use, signature }),
  );
  expect(verified.valid).toBe(true);
  const http = { keyName: "ec", algorithm: "ES384", digest: b64(digest) };
  expect(await post("verify", { ...http, signature: b64(signature) })).toEqual({ valid: true });
  expect(await post("verify", { ...http, signature: b64(Buffer.alloc(9)) })).toEqual({});
});

it("a failure says that it failed, and on gRPC too", async () => {
  const request = create(SubtleEncryptRequestSchema, { componentName, keyName: "ec", algorithm: "A256GCM" });
  expect(await sidecar.grpc.failure(daprMethods.subtleEncryptAlpha1, request)).toMatchObject({
    code: 13,
    message: "failed to perform operation: failed to encrypt",
  });
  const wrong = create(SubtleGetKeyRequestSchema, {
    componentName,
    name: "ec",
    format: 9 as SubtleGetKeyRequest_KeyFormat,
  });
  expect(await sidecar.grpc.failure(daprMethods.subtleGetKeyAlpha1, wrong)).toMatchObject({
    code: 3,
    message: "invalid request: invalid key format",
  });
});
