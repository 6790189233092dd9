import "reflect-metadata";
import { createPublicKey, type KeyObject, sign, type webcrypto, webcrypto as provider } from "node:crypto";
import { promisify } from "node:util";
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  type JsonName,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate as ParsedCertificate,
  X509CertificateGenerator,
} from "@peculiar/x509";
import type { Clock } from "../../../kit/clock.ts";
import type { Random } from "../../../kit/random.ts";
import { element, oid, TAG } from "./der.ts";
import { signedCertificate, type Validity, workloadTbs } from "./workload-certificate.ts";

const SERIAL_BYTES = 16;

const signInBackground = promisify(sign);

/** How keys of one kind sign certificates: for the library, for Node, and as certificates say it. */
interface SigningAlgorithm {
  readonly web: webcrypto.Algorithm | webcrypto.RsaHashedImportParams | webcrypto.EcKeyImportParams;
  readonly digest: string | null;
  readonly identifier: Uint8Array;
}

function ecdsa(namedCurve: string, bits: number, id: string): SigningAlgorithm {
  return {
    web: { name: "ECDSA", namedCurve, hash: `SHA-${bits}` },
    digest: `sha${bits}`,
    identifier: element(TAG.sequence, oid(`2a8648ce3d0403${id}`)),
  };
}

/** As Go's `crypto/x509` chooses: SHA-256 for RSA, the curve's own size for ECDSA. */
const ALGORITHMS: ReadonlyMap<string, SigningAlgorithm> = new Map<string, SigningAlgorithm>([
  ["ed25519", { web: { name: "Ed25519" }, digest: null, identifier: element(TAG.sequence, oid("2b6570")) }],
  [
    "rsa",
    {
      web: { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" },
      digest: "sha256",
      identifier: element(TAG.sequence, oid("2a864886f70d01010b"), Buffer.from([5, 0])),
    },
  ],
  ["prime256v1", ecdsa("P-256", 256, "02")],
  ["secp384r1", ecdsa("P-384", 384, "03")],
  ["secp521r1", ecdsa("P-521", 512, "04")],
]);

function signingAlgorithm(key: KeyObject): SigningAlgorithm {
  const kind = key.asymmetricKeyDetails?.namedCurve ?? key.asymmetricKeyType ?? "unknown";
  const algorithm = ALGORITHMS.get(kind);
  if (algorithm === undefined) {
    throw new Error(
      `keys of the kind ${kind} cannot sign certificates; use Ed25519, ECDSA (P-256, P-384, P-521) or RSA`,
    );
  }
  return algorithm;
}

/** `ttlMs` from now on, and valid `skewMs` ago already, for machines whose clocks are behind. */
export function validityFor(clock: Clock, ttlMs: number, skewMs: number): Validity {
  const now = clock.now();
  return { notBeforeMs: now - skewMs, notAfterMs: now + ttlMs };
}

/** A key that signs certificates in the name of a certificate of its own. */
export interface Signer {
  /** A workload's certificate, DER. */
  signWorkload(publicKey: KeyObject, uri: string, dnsNames: readonly string[], validity: Validity): Promise<Uint8Array>;
  /** An issuer's certificate, DER. */
  signIssuer(publicKey: KeyObject, organization: string, validity: Validity): Promise<Uint8Array>;
}

/** @throws Error for a key that certificates cannot be signed with */
export function openSigner(certificateDer: Uint8Array, key: KeyObject, random: Random): Signer {
  const { web, digest, identifier } = signingAlgorithm(key);
  const parent = new ParsedCertificate(new Uint8Array(certificateDer));
  const keyId = parent.getExtension(SubjectKeyIdentifierExtension)?.keyId;
  const issuer = {
    name: new Uint8Array(parent.subjectName.toArrayBuffer()),
    keyId: keyId === undefined ? undefined : Buffer.from(keyId, "hex"),
    algorithm: identifier,
  };
  return {
    signWorkload: async (publicKey, uri, dnsNames, validity) => {
      const tbs = workloadTbs(issuer, { serial: serialNumber(random), validity, publicKey, uri, dnsNames });
      // RSA takes milliseconds, the others a fraction of what it costs to ask a thread.
      const signature =
        key.asymmetricKeyType === "rsa" ? await signInBackground(digest, tbs, key) : sign(digest, tbs, key);
      return signedCertificate(tbs, identifier, signature);
    },
    signIssuer: async (publicKey, organization, validity) => {
      const spki = spkiOf(publicKey);
      const made = await X509CertificateGenerator.create(
        {
          serialNumber: serialNumber(random).toString("hex"),
          issuer: parent.subjectName,
          subject: [{ O: [organization] }],
          notBefore: new Date(validity.notBeforeMs),
          notAfter: new Date(validity.notAfterMs),
          signingAlgorithm: web,
          publicKey: spki,
          signingKey: key.toCryptoKey(web, false, ["sign"]),
          extensions: [
            new KeyUsagesExtension(
              KeyUsageFlags.digitalSignature | KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign,
              true,
            ),
            new BasicConstraintsExtension(true, undefined, true),
            await SubjectKeyIdentifierExtension.create(spki, false, provider),
            ...(keyId === undefined ? [] : [new AuthorityKeyIdentifierExtension(keyId)]),
          ],
        },
        provider,
      );
      return new Uint8Array(made.rawData);
    },
  };
}

/** A root's certificate, DER, signed with its own key. */
export async function signRoot(
  key: KeyObject,
  organization: string,
  validity: Validity,
  random: Random,
): Promise<Uint8Array> {
  const { web } = signingAlgorithm(key);
  const publicKey = spkiOf(createPublicKey(key));
  const name: JsonName = [{ O: [organization] }];
  const made = await X509CertificateGenerator.create(
    {
      serialNumber: serialNumber(random).toString("hex"),
      issuer: name,
      subject: name,
      notBefore: new Date(validity.notBeforeMs),
      notAfter: new Date(validity.notAfterMs),
      signingAlgorithm: web,
      publicKey,
      signingKey: key.toCryptoKey(web, false, ["sign"]),
      extensions: [
        new KeyUsagesExtension(KeyUsageFlags.digitalSignature | KeyUsageFlags.keyCertSign, true),
        new BasicConstraintsExtension(true, undefined, true),
        await SubjectKeyIdentifierExtension.create(publicKey, false, provider),
      ],
    },
    provider,
  );
  return new Uint8Array(made.rawData);
}

function spkiOf(key: KeyObject): Uint8Array<ArrayBuffer> {
  return new Uint8Array(key.export({ format: "der", type: "spki" }));
}

/** 128 random bits, positive (RFC 5280 section 4.1.2.2). */
function serialNumber(random: Random): Buffer {
  const bytes = Buffer.from(random.bytes(SERIAL_BYTES));
  bytes[0] = (bytes.readUInt8(0) & 0x7f) | 0x40;
  return bytes;
}
