import "reflect-metadata";
import { createPrivateKey, createPublicKey } from "node:crypto";
import { Pkcs10CertificateRequest } from "@peculiar/x509";
import { expect, it } from "vitest";
import { makeCertificateRequest } from "./certificate-request.ts";

it("asks for a certificate of a fresh Ed25519 key, in no name, with proof that it has the key", async () => {
  const { privateKey, request } = makeCertificateRequest();
  const parsed = new Pkcs10CertificateRequest(request);
  const key = createPrivateKey(privateKey);
  expect(key.asymmetricKeyType).toBe("ed25519");
  expect(parsed.subject).toBe("");
  expect(parsed.extensions).toEqual([]);
  expect(Buffer.from(parsed.publicKey.rawData)).toEqual(createPublicKey(key).export({ type: "spki", format: "der" }));
  expect(await parsed.verify()).toBe(true);
  expect(makeCertificateRequest().privateKey).not.toBe(privateKey);
});
