import { createPublicKey, generateKeyPairSync, type KeyObject, X509Certificate } from "node:crypto";
import { describe, expect, it } from "vitest";
import { systemRandom } from "../../../kit/random.ts";
import { VirtualClock } from "../../../kit/virtual-clock.fixture.ts";
import { type IssuerBundle, type StoredIssuer, verifyIssuer } from "./bundle.ts";
import { generateIssuer } from "./generate.ts";
import { certificatePem, certificatesOf, privateKeyPem } from "./pem.ts";
import { openSigner, signRoot, validityFor } from "./signer.ts";

const clock = new VirtualClock();
const YEAR_MS = 365 * 24 * 3_600_000;

function generated(): Promise<IssuerBundle> {
  return generateIssuer({
    trustDomain: "a.example",
    namespace: "default",
    skewMs: 0,
    clock,
    random: systemRandom,
  });
}

function stored(bundle: { trustAnchorsPem: string; chainPem: string; keyPem: string }): StoredIssuer {
  return {
    trustAnchors: { text: bundle.trustAnchorsPem, place: "ca.crt" },
    chain: { text: bundle.chainPem, place: "issuer.crt" },
    key: { text: bundle.keyPem, place: "issuer.key" },
  };
}

/** A root and an issuer whose keys are of other kinds. */
async function madeWith(rootKey: KeyObject, issuerKey: KeyObject): Promise<StoredIssuer> {
  const validity = validityFor(clock, YEAR_MS, 0);
  const root = await signRoot(rootKey, "a.example", validity, systemRandom);
  const issuer = await openSigner(root, rootKey, systemRandom).signIssuer(createPublicKey(issuerKey), "i", validity);
  return stored({
    trustAnchorsPem: certificatePem(root),
    chainPem: certificatePem(issuer),
    keyPem: privateKeyPem(issuerKey),
  });
}

function keyOf(kind: string): KeyObject {
  switch (kind) {
    case "rsa":
      return generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey;
    case "ed25519":
      return generateKeyPairSync("ed25519").privateKey;
    default:
      return generateKeyPairSync("ec", { namedCurve: kind }).privateKey;
  }
}

describe("an issuer's credentials", () => {
  it.each(["ed25519", "P-256", "P-384", "P-521", "rsa"])(
    "may have keys of the kind %s, and sign with them",
    async (kind) => {
      const bundle = verifyIssuer(await madeWith(keyOf(kind), keyOf(kind)), clock);
      const signer = openSigner(new Uint8Array(bundle.chain[0]?.raw ?? []), bundle.key, systemRandom);
      const { publicKey } = generateKeyPairSync("ed25519");
      const leaf = new X509Certificate(
        await signer.signWorkload(publicKey, "spiffe://a/ns/b/c", [], validityFor(clock, 1_000, 0)),
      );
      expect(leaf.verify(createPublicKey(bundle.key))).toBe(true);
    },
  );

  it("may be written in SEC 1 and PKCS#1 too", async () => {
    const ec = keyOf("P-256");
    const ofEc = await madeWith(ec, ec);
    const sec1 = { text: ec.export({ format: "pem", type: "sec1" }).toString(), place: "issuer.key" };
    expect(verifyIssuer({ ...ofEc, key: sec1 }, clock).keyPem).toContain("BEGIN PRIVATE KEY");
    const rsa = keyOf("rsa");
    const ofRsa = await madeWith(rsa, rsa);
    const pkcs1 = { text: rsa.export({ format: "pem", type: "pkcs1" }).toString(), place: "issuer.key" };
    expect(verifyIssuer({ ...ofRsa, key: pkcs1 }, clock).keyPem).toContain("BEGIN PRIVATE KEY");
  });

  it("lose comments, and a root at the end of the chain", async () => {
    const one = await generated();
    const bundle = verifyIssuer(
      stored({
        ...one,
        trustAnchorsPem: `# ours\n${one.trustAnchorsPem}`,
        chainPem: `# issuer\n${one.chainPem}${one.trustAnchorsPem}`,
      }),
      clock,
    );
    expect(bundle).toMatchObject({ trustAnchorsPem: one.trustAnchorsPem, chainPem: one.chainPem });
  });

  it("may have several anchors, as while a root is exchanged", async () => {
    const [one, other] = [await generated(), await generated()];
    const anchors = other.trustAnchorsPem + one.trustAnchorsPem;
    const bundle = verifyIssuer(stored({ ...one, trustAnchorsPem: anchors }), clock);
    expect(certificatesOf(bundle.trustAnchorsPem)).toHaveLength(2);
  });

  it("are refused by the file that is wrong, and why", async () => {
    const [one, other] = [await generated(), await generated()];
    const cases: readonly (readonly [Partial<IssuerBundle>, string])[] = [
      [{ trustAnchorsPem: "" }, "ca.crt: no certificates found"],
      [{ trustAnchorsPem: one.chainPem }, "ca.crt: certificate in trust anchor is not self-signed"],
      [{ chainPem: "rubbish" }, "issuer.crt: no certificates found"],
      [{ chainPem: one.trustAnchorsPem, keyPem: one.keyPem }, "issuer.crt: issuer chain is empty after re-encoding"],
      [{ chainPem: one.chainPem + other.chainPem }, "issuer.crt: certificate chain is not valid"],
      [{ keyPem: "rubbish" }, "issuer.key: key is not PEM encoded"],
      [{ keyPem: one.chainPem }, "issuer.key: unsupported block type CERTIFICATE"],
      [
        { keyPem: "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----" },
        "issuer.key: the key cannot be read: it is malformed, or of a kind that is not supported",
      ],
      [{ keyPem: other.keyPem }, "issuer.key: issuer key does not match issuer certificate (issuer.crt)"],
      [
        { trustAnchorsPem: other.trustAnchorsPem },
        "issuer.crt: issuer chain does not belong to trust anchors: certificate signed by unknown authority",
      ],
    ];
    for (const [wrong, message] of cases) {
      expect(() => verifyIssuer(stored({ ...one, ...wrong }), clock), message).toThrow(message);
    }
  });

  it("are refused once they have expired", async () => {
    const one = await generated();
    const later = new VirtualClock(clock.now() + YEAR_MS + 1);
    expect(() => verifyIssuer(stored(one), later)).toThrow(
      "issuer.crt: issuer chain does not belong to trust anchors: certificate has expired or is not yet valid",
    );
  });

  it("are refused where the issuer is no authority", async () => {
    const rootKey = keyOf("ed25519");
    const validity = validityFor(clock, YEAR_MS, 0);
    const root = await signRoot(rootKey, "a.example", validity, systemRandom);
    const leafKey = keyOf("ed25519");
    const leaf = await openSigner(root, rootKey, systemRandom).signWorkload(
      createPublicKey(leafKey),
      "spiffe://a/ns/b/c",
      [],
      validity,
    );
    const pieces = {
      trustAnchorsPem: certificatePem(root),
      chainPem: certificatePem(leaf),
      keyPem: privateKeyPem(leafKey),
    };
    expect(() => verifyIssuer(stored(pieces), clock)).toThrow(
      "issuer.crt: intermediate certificate is not valid for signing",
    );
  });
});
