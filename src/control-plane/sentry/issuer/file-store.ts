import { open, readFile, writeFile } from "node:fs/promises";
import type { Clock } from "../../../kit/clock.ts";
import { errorMessage } from "../../../kit/error-message.ts";
import { goFileError } from "../../../kit/go-file-error.ts";
import { verifyJwt } from "../jwt/jwt-bundle.ts";
import { CREDENTIAL_BYTES_MAX } from "../limits.ts";
import { verifyIssuer } from "./bundle.ts";
import type { CredentialNames, CredentialStore } from "./credential-store.ts";

/** Only the sentry's own user may read what it writes. */
const FILE_MODE = 0o600;

/** Credentials in files (`pkg/sentry/server/ca/selfhosted.go`). @param paths absolute, or relative to the working directory */
export function fileStore(paths: CredentialNames, keyId: string | undefined, clock: Clock): CredentialStore {
  return {
    description: "local file system",
    load: async () => ({
      issuer: await loadIssuer(paths, clock),
      jwt: await loadJwt(paths, keyId),
    }),
    save: async ({ issuer, jwt }) => {
      const files: readonly (readonly [path: string, text: string])[] = [
        [paths.trustAnchors, issuer.trustAnchorsPem],
        [paths.chain, issuer.chainPem],
        [paths.key, issuer.keyPem],
        ...(jwt === undefined ? [] : [[paths.jwtKey, jwt.keyPem] as const, [paths.jwks, jwt.jwksJson] as const]),
      ];
      for (const [path, text] of files) {
        try {
          await writeFile(path, text, { mode: FILE_MODE });
        } catch (cause) {
          throw new Error(`failed to write file ${path}: ${goFileError("open", path, cause)}`, { cause });
        }
      }
    },
  };
}

async function loadIssuer(paths: CredentialNames, clock: Clock) {
  const trustAnchors = await read(paths.trustAnchors, "failed to read root certificate");
  const chain = await read(paths.chain, "failed to read issuer certificate");
  const key = await read(paths.key, "failed to read issuer key");
  if (trustAnchors === undefined || chain === undefined || key === undefined) {
    return undefined;
  }
  try {
    return verifyIssuer(
      {
        trustAnchors: { text: trustAnchors, place: paths.trustAnchors },
        chain: { text: chain, place: paths.chain },
        key: { text: key, place: paths.key },
      },
      clock,
    );
  } catch (cause) {
    throw new Error(`failed to verify CA bundle: ${errorMessage(cause)}`, { cause });
  }
}

async function loadJwt(paths: CredentialNames, keyId: string | undefined) {
  const key = await read(paths.jwtKey, "error reading JWT signing key");
  const jwks = await read(paths.jwks, "error reading JWKS");
  if (key === undefined || jwks === undefined) {
    return undefined;
  }
  return verifyJwt({ key: { text: key, place: paths.jwtKey }, jwks: { text: jwks, place: paths.jwks } }, keyId);
}

async function read(path: string, complaint: string): Promise<string | undefined> {
  try {
    return await readBounded(path);
  } catch (cause) {
    if ((cause as { readonly code?: unknown }).code === "ENOENT") {
      return undefined;
    }
    throw new Error(`${complaint}: ${goFileError("open", path, cause)}`, { cause });
  }
}

/** A file's text. @throws Error for one that is larger than credentials are */
export async function readBounded(path: string): Promise<string> {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    if (size > CREDENTIAL_BYTES_MAX) {
      throw new Error(`it has ${size} bytes, more than the limit of ${CREDENTIAL_BYTES_MAX}`);
    }
    return await readFile(file, "utf8");
  } finally {
    await file.close();
  }
}
