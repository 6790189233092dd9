import { createHash, generateKeyPairSync, type KeyObject, verify } from "node:crypto";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { ComponentDeps, ComponentManifest, ComponentMetadata } from "../../src/components/spi/component.ts";
import type { CryptoProvider } from "../../src/components/spi/crypto.ts";
import { capabilitySections } from "./sections.ts";

const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
const ec = generateKeyPairSync("ec", { namedCurve: "P-256" });
const ed = generateKeyPairSync("ed25519");
const jwk = (name: string, key: KeyObject): object => ({ ...key.export({ format: "jwk" }), kid: name });

/** The keys that a provider has to have for the suite, as JWKs whose `kid` is the key's name. */
export const CONFORMANCE_KEYS: readonly object[] = [
  { kty: "oct", kid: "symmetric", k: Buffer.alloc(32, 7).toString("base64url") },
  { kty: "oct", kid: "wrap-only", key_ops: ["wrapKey"], k: Buffer.alloc(32, 8).toString("base64url") },
  jwk("rsa", rsa.privateKey),
  jwk("rsa-public", rsa.publicKey),
  jwk("ec", ec.privateKey),
  jwk("ed", ed.privateKey),
];

/** How a crypto provider with these keys is brought up for the suite. */
export interface CryptoConformance {
  readonly manifest: ComponentManifest<CryptoProvider>;
  readonly deps: ComponentDeps;
  readonly metadata: () => ComponentMetadata;
  /** The name of a key as the provider has it; the `kid` where absent. */
  readonly nameOf?: (kid: string) => string;
}

const none = new Uint8Array(0);
const text = Buffer.from("a message");

/** The contract of a crypto provider as cases. */
export function cryptoConformance({ manifest, deps, metadata, nameOf = (kid) => kid }: CryptoConformance): void {
  describe(`${manifest.type} keeps the contract of crypto providers`, () => {
    let provider: CryptoProvider;
    const use = (kid: string, algorithm: string, nonceBytes = 0) => ({
      keyName: nameOf(kid),
      algorithm,
      nonce: Buffer.alloc(nonceBytes, 1),
      associatedData: none,
    });

    beforeEach(async () => {
      provider = (await manifest.load())(deps);
      await provider.init(metadata(), new AbortController().signal);
    });

    afterEach(async () => {
      await provider.close();
    });

    capabilitySections(manifest, {}, () => provider);

    test("a second close is harmless, and so is one without init", async () => {
      await provider.close();
      await provider.close();
      await (await manifest.load())(deps).close();
    });

    test("a closed provider answers with an error", async () => {
      await provider.close();
      await expect(provider.getKey(nameOf("rsa"))).rejects.toMatchObject({ name: "ComponentError" });
    });

    describe("keys", () => {
      test("the public half of an asymmetric key is given, also where there is no other", async () => {
        for (const kid of ["rsa", "rsa-public"]) {
          const { object } = await provider.getKey(nameOf(kid));
          expect([object.type, object.equals(rsa.publicKey)]).toEqual(["public", true]);
        }
      });

      test("a symmetric key and one that is not there are not given", async () => {
        for (const kid of ["symmetric", "nobody"]) {
          await expect(provider.getKey(nameOf(kid))).rejects.toMatchObject({ kind: "notFound" });
        }
      });
    });

    describe("encryption", () => {
      test.each([
        ["symmetric", "A256GCM", 12],
        ["symmetric", "C20P", 12],
        ["rsa", "RSA-OAEP-256", 0],
      ])("key %s with %s gives back what it took, and refuses what was changed", async (kid, algorithm, nonceBytes) => {
        const asked = use(kid, algorithm, nonceBytes);
        const sealed = await provider.encrypt({ ...asked, plaintext: text });
        expect(text.equals(await provider.decrypt({ ...asked, ...sealed }))).toBe(true);
        const ciphertext = Buffer.from(sealed.ciphertext);
        ciphertext[0] = (ciphertext[0] ?? 0) ^ 1;
        await expect(provider.decrypt({ ...asked, ...sealed, ciphertext })).rejects.toMatchObject({
          kind: "invalidRequest",
        });
      });

      test.each([
        ["rsa", "A256GCM"],
        ["symmetric", "RSA-OAEP-256"],
        ["ec", "RSA-OAEP"],
        ["symmetric", "none"],
        ["wrap-only", "A256GCM"],
      ])("key %s is refused with %s", async (kid, algorithm) => {
        const asked = use(kid, algorithm, 12);
        await expect(provider.encrypt({ ...asked, plaintext: text })).rejects.toMatchObject({ kind: "invalidRequest" });
      });

      test("a public key decrypts nothing", async () => {
        const sealed = await provider.encrypt({ ...use("rsa-public", "RSA-OAEP"), plaintext: text });
        expect(text.equals(await provider.decrypt({ ...use("rsa", "RSA-OAEP"), ...sealed }))).toBe(true);
        await expect(provider.decrypt({ ...use("rsa-public", "RSA-OAEP"), ...sealed })).rejects.toMatchObject({
          kind: "invalidRequest",
        });
      });
    });

    describe("wrapping", () => {
      test.each([
        ["symmetric", "A256KW"],
        ["rsa", "RSA-OAEP-256"],
      ])("key %s with %s gives the key back", async (kid, algorithm) => {
        const key = Buffer.alloc(32, 9);
        const wrapped = await provider.wrapKey({ ...use(kid, algorithm), plaintext: key });
        expect(key.equals(await provider.unwrapKey({ ...use(kid, algorithm), ...wrapped }))).toBe(true);
      });

      test("a key does what its `key_ops` allow, and no more", async () => {
        const wrapped = await provider.wrapKey({ ...use("wrap-only", "A256KW"), plaintext: Buffer.alloc(16) });
        await expect(provider.unwrapKey({ ...use("wrap-only", "A256KW"), ...wrapped })).rejects.toMatchObject({
          message: "key cannot perform the 'unwrapKey' operation",
        });
      });
    });

    describe("signatures", () => {
      test.each([
        ["rsa", "RS256"],
        ["rsa", "PS256"],
        ["ec", "ES256"],
      ])("key %s signs a digest with %s", async (kid, algorithm) => {
        const asked = { ...use(kid, algorithm), digest: createHash("sha256").update(text).digest() };
        const signature = await provider.sign(asked);
        expect(await provider.verify({ ...asked, signature })).toBe(true);
        expect(await provider.verify({ ...asked, digest: Buffer.alloc(32, 1), signature })).toBe(false);
      });

      test("EdDSA signs the message itself", async () => {
        const signature = await provider.sign({ ...use("ed", "EdDSA"), digest: text });
        expect(verify(null, text, ed.publicKey, signature)).toBe(true);
      });

      test("a public key signs nothing", async () => {
        const asked = { ...use("rsa-public", "RS256"), digest: Buffer.alloc(32) };
        await expect(provider.sign(asked)).rejects.toMatchObject({ kind: "invalidRequest" });
      });
    });
  });
}
