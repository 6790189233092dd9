import "reflect-metadata";
import { generateKeyPairSync, X509Certificate } from "node:crypto";
import { X509Certificate as ParsedCertificate } from "@peculiar/x509";
import fc from "fast-check";
import { expect, test } from "vitest";
import { systemRandom } from "../../../kit/random.ts";
import { openSigner, signRoot } from "./signer.ts";

const name = fc.stringMatching(/^[a-zA-Z0-9._-]{1,63}$/).filter((text) => !/^\.\.?$/.test(text));
const YEAR_MS = 365 * 24 * 3_600_000;
/** Beyond 2050 times are written otherwise. */
const moment = fc.integer({ min: Date.UTC(2000, 0), max: Date.UTC(2120, 0) });

test("OpenSSL and a library read the certificates that we write, and find in them what was meant", async () => {
  const rootKey = generateKeyPairSync("ed25519").privateKey;
  const root = await signRoot(rootKey, "a.example", { notBeforeMs: 0, notAfterMs: YEAR_MS }, systemRandom);
  const signer = openSigner(root, rootKey, systemRandom);
  const keys = [
    generateKeyPairSync("ed25519").publicKey,
    generateKeyPairSync("ec", { namedCurve: "P-384" }).publicKey,
    generateKeyPairSync("rsa", { modulusLength: 2048 }).publicKey,
  ];
  await fc.assert(
    fc.asyncProperty(
      fc.tuple(name, name, name),
      fc.array(name, { maxLength: 3 }),
      moment,
      fc.integer({ min: 0, max: YEAR_MS }),
      fc.constantFrom(...keys),
      async (parts, dnsNames, notBeforeMs, ttlMs, publicKey) => {
        const uri = `spiffe://${parts[0].toLowerCase()}/ns/${parts[1]}/${parts[2]}`;
        const validity = { notBeforeMs, notAfterMs: notBeforeMs + ttlMs };
        const der = await signer.signWorkload(publicKey, uri, dnsNames, validity);
        const leaf = new X509Certificate(der);
        expect(leaf.verify(new X509Certificate(root).publicKey)).toBe(true);
        expect(leaf.checkIssued(new X509Certificate(root))).toBe(true);
        expect(leaf.publicKey.equals(publicKey)).toBe(true);
        expect(leaf.subjectAltName).toBe([...dnsNames.map((one) => `DNS:${one}`), `URI:${uri}`].join(", "));
        const seconds = (ms: number): number => Math.floor(ms / 1000) * 1000;
        expect(leaf.validFromDate.getTime()).toBe(seconds(validity.notBeforeMs));
        expect(leaf.validToDate.getTime()).toBe(seconds(validity.notAfterMs));
        // Read and written again by another hand it is the same: it was DER.
        const again = new ParsedCertificate(new Uint8Array(der));
        expect(Buffer.from(again.rawData).equals(der)).toBe(true);
        expect(again.extensions.map(({ type, critical }) => `${type}${critical ? "!" : ""}`)).toEqual([
          "2.5.29.15!",
          "2.5.29.37",
          "2.5.29.35",
          "2.5.29.17!",
        ]);
      },
    ),
    { numRuns: 200 },
  );
});
