import { generateKeyPairSync, sign } from "node:crypto";

/** A fresh key and what a certificate authority is asked with. */
export interface CertificateRequest {
  /** PKCS#8, PEM. */
  readonly privateKey: string;
  /** PKCS#10, PEM: the public key, signed with the private one, and no names. Dapr's sentry takes those from the call. */
  readonly request: string;
}

const SEQUENCE = 0x30;
const BIT_STRING = 0x03;
/** The empty set of attributes, `[0]`. */
const NO_ATTRIBUTES = Buffer.from([0xa0, 0x00]);
const VERSION_1 = Buffer.from([0x02, 0x01, 0x00]);
const NO_NAME = Buffer.from([SEQUENCE, 0x00]);
/** AlgorithmIdentifier of id-Ed25519, 1.3.101.112 (RFC 8410 section 3). */
const ED25519 = Buffer.from([SEQUENCE, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70]);
/** 64 characters (RFC 7468). */
const LINES = /.{1,64}/g;

/** Makes an Ed25519 key, as Dapr 1.18 does for its workloads, and a request for a certificate of it (RFC 2986). */
export function makeCertificateRequest(): CertificateRequest {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const info = der(SEQUENCE, [VERSION_1, NO_NAME, publicKey.export({ type: "spki", format: "der" }), NO_ATTRIBUTES]);
  const signature = der(BIT_STRING, [Buffer.from([0]), sign(null, info, privateKey)]);
  return {
    privateKey: privateKey.export({ type: "pkcs8", format: "pem" }),
    request: pem("CERTIFICATE REQUEST", der(SEQUENCE, [info, ED25519, signature])),
  };
}

/** An element in DER whose content is shorter than 256 bytes. */
function der(tag: number, parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  const length = content.length < 128 ? [content.length] : [0x81, content.length];
  return Buffer.concat([Buffer.from([tag, ...length]), content]);
}

function pem(label: string, bytes: Buffer): string {
  const lines = bytes.toString("base64").match(LINES) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`;
}
