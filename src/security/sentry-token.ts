import { open } from "node:fs/promises";
import { errorMessage } from "../kit/error-message.ts";
import { SignCertificateRequest_TokenValidator as TokenValidator } from "../wire/gen/dapr/proto/sentry/v1/sentry_pb.js";
import { TOKEN_BYTES_MAX } from "./limits.ts";

/** What proves to the certificate authority who asks. */
export interface SentryToken {
  readonly token: string;
  readonly validator: TokenValidator;
}

const NO_TOKEN: SentryToken = { token: "", validator: TokenValidator.UNKNOWN };

/**
 * Reads the token of `DAPR_SENTRY_TOKEN_FILE` anew for each certificate, because whoever writes it exchanges it. Without
 * that file the authority's default applies: it believes the caller, or asks for a token.
 *
 * @param path undefined: the variable is not set
 * @throws Error with Dapr's texts
 */
export async function readSentryToken(path: string | undefined): Promise<SentryToken> {
  if (path === undefined) {
    return NO_TOKEN;
  }
  if (path === "") {
    throw new Error("environmental variable DAPR_SENTRY_TOKEN_FILE is set with an empty value");
  }
  const token = await readToken(path);
  if (token === "") {
    throw new Error(`token at path '${path}' is empty`);
  }
  return { token, validator: TokenValidator.JWKS };
}

async function readToken(path: string): Promise<string> {
  try {
    const file = await open(path);
    try {
      const { size } = await file.stat();
      if (size > TOKEN_BYTES_MAX) {
        throw new Error(`it has ${size} bytes, and ${TOKEN_BYTES_MAX} is the most`);
      }
      return await file.readFile("utf8");
    } finally {
      await file.close();
    }
  } catch (error) {
    throw new Error(`failed to read token at path '${path}': ${errorMessage(error)}`, { cause: error });
  }
}
