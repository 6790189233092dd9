import "reflect-metadata";
import { type KeyObject, generateKeyPairSync, webcrypto } from "node:crypto";
import {
  BasicConstraintsExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
} from "@peculiar/x509";
import { type ChannelCredentials, credentials } from "@grpc/grpc-js";

const ED25519 = { name: "Ed25519" };
const HOUR_MS = 3_600_000;

/** What a certificate is to say; every field has a default that makes an honest one. */
export interface CertificateFacts {
  /** `spiffe://public/ns/default/app` by default. */
  readonly uris?: readonly string[];
  readonly dnsNames?: readonly string[];
  readonly notBeforeMs?: number;
  readonly notAfterMs?: number;
  readonly isAuthority?: boolean;
  /** SPKI, DER; by default that of a fresh key. */
  readonly publicKey?: Uint8Array;
}

/** PEM each. */
export interface IssuedCertificate {
  /** With the issuer's behind it. */
  readonly chain: string;
  readonly privateKey: string;
}

/** How a client of another make, grpc-js, shows a certificate; it looks at the server's trust anchors only. */
export async function clientCredentials(authority: TestAuthority, uri: string): Promise<ChannelCredentials> {
  const { chain, privateKey } = await authority.issue({ uris: [uri] });
  const [root, key, certificate] = [authority.trustAnchors, privateKey, chain].map((pem) => Buffer.from(pem, "latin1"));
  return credentials.createSsl(root, key, certificate, { checkServerIdentity: () => undefined });
}

/** A certificate authority as Dapr's sentry is one, a root and an issuer under it, that signs whatever a test asks for. */
export class TestAuthority {
  /** PEM of its root. */
  readonly trustAnchors: string;
  readonly #issuer: string;
  readonly #issuerKey: CryptoKey;
  #serial = 100;

  private constructor(trustAnchors: string, issuer: string, issuerKey: CryptoKey) {
    this.trustAnchors = trustAnchors;
    this.#issuer = issuer;
    this.#issuerKey = issuerKey;
  }

  static async create(): Promise<TestAuthority> {
    const [root, issuer] = [ed25519(), ed25519()];
    const rootName = "CN=test root";
    const authority = { isAuthority: true, uris: [] };
    const rootPem = await signed(authority, rootName, rootName, root.publicKey, root.signingKey, 1);
    const issuerPem = await signed(authority, "CN=test issuer", rootName, issuer.publicKey, root.signingKey, 2);
    return new TestAuthority(rootPem, issuerPem, issuer.signingKey);
  }

  async issue(facts: CertificateFacts = {}): Promise<IssuedCertificate> {
    const own = ed25519();
    this.#serial += 1;
    const publicKey = facts.publicKey ?? own.publicKey;
    const certificate = await signed(facts, "", "CN=test issuer", publicKey, this.#issuerKey, this.#serial);
    return { chain: certificate + this.#issuer, privateKey: own.pem };
  }
}

function ed25519(): { readonly publicKey: Uint8Array; readonly signingKey: CryptoKey; readonly pem: string } {
  const { publicKey, privateKey }: { readonly publicKey: KeyObject; readonly privateKey: KeyObject } =
    generateKeyPairSync("ed25519");
  return {
    publicKey: publicKey.export({ type: "spki", format: "der" }),
    signingKey: privateKey.toCryptoKey(ED25519, false, ["sign"]),
    pem: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
  };
}

async function signed(
  facts: CertificateFacts,
  subject: string,
  issuer: string,
  publicKey: Uint8Array,
  signingKey: CryptoKey,
  serial: number,
): Promise<string> {
  const { uris = ["spiffe://public/ns/default/app"], dnsNames = [], isAuthority = false } = facts;
  const names = [
    ...dnsNames.map((value) => ({ type: "dns" as const, value })),
    ...uris.map((value) => ({ type: "url" as const, value })),
  ];
  const usage = isAuthority ? KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign : KeyUsageFlags.digitalSignature;
  const certificate = await X509CertificateGenerator.create(
    {
      serialNumber: serial.toString(16).padStart(4, "0"),
      subject,
      issuer,
      notBefore: new Date(facts.notBeforeMs ?? Date.now() - HOUR_MS),
      notAfter: new Date(facts.notAfterMs ?? Date.now() + HOUR_MS),
      signingAlgorithm: ED25519,
      publicKey: new Uint8Array(publicKey),
      signingKey,
      extensions: [
        new KeyUsagesExtension(usage, true),
        ...(isAuthority ? [new BasicConstraintsExtension(true, undefined, true)] : []),
        ...(names.length === 0 ? [] : [new SubjectAlternativeNameExtension(names, true)]),
      ],
    },
    webcrypto,
  );
  return `${certificate.toString("pem")}\n`;
}
