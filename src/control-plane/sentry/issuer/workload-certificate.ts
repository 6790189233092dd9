import type { KeyObject } from "node:crypto";
import { element, oid, TAG, time } from "./der.ts";

/** From when to when a certificate is valid, in milliseconds since the Unix epoch. */
export interface Validity {
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

/** What all certificates of one issuer share, DER. */
export interface IssuerParts {
  /** Its subject, which is their issuer. */
  readonly name: Uint8Array;
  /** Its subject key identifier; undefined where its certificate has none. */
  readonly keyId: Uint8Array | undefined;
  /** AlgorithmIdentifier of its signatures. */
  readonly algorithm: Uint8Array;
}

export interface WorkloadParts {
  /** Of its certificate: positive, at most 20 bytes. */
  readonly serial: Uint8Array;
  readonly validity: Validity;
  readonly publicKey: KeyObject;
  readonly uri: string;
  readonly dnsNames: readonly string[];
}

const VERSION_3 = Buffer.from("a003020102", "hex");
const NO_NAME = element(TAG.sequence);
const CRITICAL = element(TAG.boolean, Buffer.from([0xff]));
const DNS_NAME = 0x82;
const URI = 0x86;
const KEY_ID = 0x80;
const EXTENSIONS = 0xa3;

/** digitalSignature alone. */
const KEY_USAGE = extension("551d0f", CRITICAL, Buffer.from("03020780", "hex"));
/** serverAuth and clientAuth: workloads are both. */
const EXTENDED_KEY_USAGE = extension(
  "551d25",
  undefined,
  element(TAG.sequence, oid("2b06010505070301"), oid("2b06010505070302")),
);

/**
 * A workload's certificate before it is signed (RFC 5280 section 4.1.2), with the extensions of Dapr's. Written by hand: a
 * library takes milliseconds for it, and these are the only certificates that are made often.
 */
export function workloadTbs(issuer: IssuerParts, workload: WorkloadParts): Buffer {
  const { serial, validity, publicKey, uri, dnsNames } = workload;
  const names = element(
    TAG.sequence,
    ...dnsNames.map((name) => element(DNS_NAME, Buffer.from(name, "latin1"))),
    element(URI, Buffer.from(uri, "latin1")),
  );
  const extensions = element(
    TAG.sequence,
    KEY_USAGE,
    EXTENDED_KEY_USAGE,
    ...(issuer.keyId === undefined
      ? []
      : [extension("551d23", undefined, element(TAG.sequence, element(KEY_ID, issuer.keyId)))]),
    // Critical, because the subject is empty (section 4.2.1.6).
    extension("551d11", CRITICAL, names),
  );
  return element(
    TAG.sequence,
    VERSION_3,
    element(TAG.integer, serial),
    issuer.algorithm,
    issuer.name,
    element(TAG.sequence, time(validity.notBeforeMs), time(validity.notAfterMs)),
    NO_NAME,
    publicKey.export({ format: "der", type: "spki" }),
    element(EXTENSIONS, extensions),
  );
}

/** The certificate. */
export function signedCertificate(tbs: Uint8Array, algorithm: Uint8Array, signature: Uint8Array): Buffer {
  return element(TAG.sequence, tbs, algorithm, element(TAG.bitString, Buffer.from([0]), signature));
}

function extension(id: string, critical: Uint8Array | undefined, value: Uint8Array): Buffer {
  return element(TAG.sequence, oid(id), ...(critical === undefined ? [] : [critical]), element(TAG.octetString, value));
}
