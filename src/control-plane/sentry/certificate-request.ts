import "reflect-metadata";
import { createPublicKey, type KeyObject, webcrypto } from "node:crypto";
import { Pkcs10CertificateRequest } from "@peculiar/x509";
import { GRPC_STATUS } from "../../errors/grpc-status.ts";
import { GrpcError } from "../../net/grpc/status.ts";
import { firstPemBlock } from "./issuer/pem.ts";
import { CSR_BYTES_MAX, RSA_KEY_BITS_MAX, RSA_KEY_BITS_MIN } from "./limits.ts";

/** Labels that a request may have; daprd before 1.12 used the second. */
const LABELS: ReadonlySet<string> = new Set(["CERTIFICATE REQUEST", "CERTIFICATE"]);

const CURVES: ReadonlySet<string> = new Set(["prime256v1", "secp384r1", "secp521r1"]);

/**
 * The public key of a PKCS#10 request whose signature shows that its sender has the private one. Nothing else of it is used:
 * whom the certificate names is not its sender's to say.
 * @throws GrpcError INVALID_ARGUMENT, in Dapr's words
 */
export async function publicKeyOfRequest(pem: Uint8Array): Promise<KeyObject> {
  if (pem.length > CSR_BYTES_MAX) {
    throw refusal(
      `invalid certificate signing request: it has ${pem.length} bytes, more than the limit of ${CSR_BYTES_MAX}`,
    );
  }
  const block = firstPemBlock(Buffer.from(pem.buffer, pem.byteOffset, pem.length).toString("latin1"));
  if (block === undefined || !LABELS.has(block.type)) {
    throw refusal("invalid certificate signing request");
  }
  const { request, key } = parse(block.der);
  checkStrength(key);
  let verified = false;
  try {
    verified = await request.verify(webcrypto);
  } catch {
    // An algorithm that is not known, or one that does not fit the key.
  }
  if (!verified) {
    throw refusal("invalid signature");
  }
  return key;
}

function parse(der: Buffer): { readonly request: Pkcs10CertificateRequest; readonly key: KeyObject } {
  try {
    const bytes = new Uint8Array(der);
    if (lengthOf(bytes) !== bytes.length) {
      throw new Error("it is cut off, or something follows it");
    }
    const request = new Pkcs10CertificateRequest(bytes);
    const key = createPublicKey({ key: Buffer.from(request.publicKey.rawData), format: "der", type: "spki" });
    return { request, key };
  } catch (cause) {
    const why = cause instanceof Error ? cause.message.slice(0, 200) : "malformed";
    throw refusal(`failed to parse certificate signing request: ${why}`);
  }
}

/** Bytes of the DER value at the front, its head included; 0 for what is no sequence of definite length. */
function lengthOf(bytes: Uint8Array): number {
  const [tag, first] = bytes;
  if (tag !== 0x30 || first === undefined) {
    return 0;
  }
  if (first < 0x80) {
    return 2 + first;
  }
  const more = first & 0x7f;
  if (more === 0 || more > 3) {
    return 0;
  }
  const length = bytes.subarray(2, 2 + more).reduce((sum, byte) => sum * 256 + byte, 0);
  return 2 + more + length;
}

function checkStrength(key: KeyObject): void {
  const { modulusLength = 0, namedCurve = "" } = key.asymmetricKeyDetails ?? {};
  switch (key.asymmetricKeyType) {
    case "ed25519":
      return;
    case "rsa":
      if (modulusLength > RSA_KEY_BITS_MAX || modulusLength < RSA_KEY_BITS_MIN) {
        throw refusal(
          `invalid certificate signing request: an RSA key of ${modulusLength} bits; from ${RSA_KEY_BITS_MIN} to ${RSA_KEY_BITS_MAX} are taken`,
        );
      }
      return;
    case "ec":
      if (CURVES.has(namedCurve)) {
        return;
      }
      break;
    default:
  }
  throw refusal(
    `invalid certificate signing request: keys of the kind ${namedCurve || (key.asymmetricKeyType ?? "unknown")} are not taken; use Ed25519, ECDSA (P-256, P-384, P-521) or RSA`,
  );
}

function refusal(message: string): GrpcError {
  return new GrpcError(GRPC_STATUS.INVALID_ARGUMENT, message);
}
