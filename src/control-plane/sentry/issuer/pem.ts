import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { CERTIFICATES_MAX } from "../limits.ts";

const BLOCK = /-----BEGIN ([A-Z0-9 ]{1,64})-----\s*([A-Za-z0-9+/=\s]*?)-----END \1-----/g;

/** One PEM block: its label and its bytes. */
export interface PemBlock {
  readonly type: string;
  readonly der: Buffer;
}

/** The first block of a text, whatever stands around it; undefined without one or with bad base64. */
export function firstPemBlock(text: string): PemBlock | undefined {
  return pemBlocks(text).next().value ?? undefined;
}

function* pemBlocks(text: string): Generator<PemBlock, undefined> {
  for (const [, type = "", body = ""] of text.matchAll(BLOCK)) {
    const base64 = body.replaceAll(/\s/g, "");
    if (/^[A-Za-z0-9+/]*={0,2}$/.test(base64) && base64.length % 4 === 0) {
      yield { type, der: Buffer.from(base64, "base64") };
    }
  }
  return undefined;
}

/** All certificates of a text, in order. @throws Error for none, too many, or one that is malformed */
export function certificatesOf(text: string): readonly X509Certificate[] {
  const certificates: X509Certificate[] = [];
  for (const { type, der } of pemBlocks(text)) {
    if (type !== "CERTIFICATE") {
      continue;
    }
    if (certificates.length === CERTIFICATES_MAX) {
      throw new Error(`more than ${CERTIFICATES_MAX} certificates`);
    }
    certificates.push(new X509Certificate(der));
  }
  if (certificates.length === 0) {
    throw new Error("no certificates found");
  }
  return certificates;
}

export function certificatePem(der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString("base64")
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`;
}

const KEY_TYPES: ReadonlySet<string> = new Set(["EC PRIVATE KEY", "RSA PRIVATE KEY", "PRIVATE KEY"]);

/** A private key in PKCS#8, SEC 1 or PKCS#1. @throws Error without naming any of its bytes */
export function privateKeyOf(text: string): KeyObject {
  const block = firstPemBlock(text);
  if (block === undefined) {
    throw new Error("key is not PEM encoded");
  }
  if (!KEY_TYPES.has(block.type)) {
    throw new Error(`unsupported block type ${block.type}`);
  }
  try {
    const type = block.type === "PRIVATE KEY" ? "pkcs8" : block.type === "EC PRIVATE KEY" ? "sec1" : "pkcs1";
    return createPrivateKey({ key: block.der, format: "der", type });
  } catch (cause) {
    throw new Error("the key cannot be read: it is malformed, or of a kind that is not supported", { cause });
  }
}

export function privateKeyPem(key: KeyObject): string {
  return key.export({ format: "pem", type: "pkcs8" }).toString();
}
