import { decodeProtectedHeader, jwtVerify } from "jose";
import { errorMessage } from "../../kit/error-message.ts";
import { headerValue } from "../../net/http/headers.ts";
import type { HttpResponse } from "../../net/http/types.ts";
import type { ComponentDeps, ComponentMetadata } from "../spi/component.ts";
import { ComponentError } from "../spi/errors.ts";
import { decodeMetadata } from "../spi/metadata.ts";
import { plainAnswer } from "../spi/middleware-answer.ts";
import type { HttpMiddleware, MiddlewareNext, MiddlewareRequest } from "../spi/middleware.ts";
import { IssuerKeys } from "./issuer-keys.ts";
import { CLOCK_SKEW_S, TOKEN_CHARACTERS_MAX } from "./limits.ts";
import { bearerFields } from "./manifest.ts";
import { discoverJwksUrl } from "./openid-configuration.ts";

/** Signatures that a public key can prove. `none` and those by a shared secret are no proof of who signed. */
const ALGORITHMS = [
  "RS256",
  "RS384",
  "RS512",
  "PS256",
  "PS384",
  "PS512",
  "ES256",
  "ES384",
  "ES512",
  "EdDSA",
  "Ed25519",
];
const PREFIX = "bearer ";
/** A shorter text is no token. */
const TOKEN_CHARACTERS_MIN = 10;

/** Makes the middleware; see the manifest. */
export function createBearer(deps: ComponentDeps): HttpMiddleware {
  return new Bearer(deps);
}

class Bearer implements HttpMiddleware {
  readonly #deps: ComponentDeps;
  #keys: IssuerKeys | undefined;
  #issuer = "";
  #audience = "";

  constructor(deps: ComponentDeps) {
    this.#deps = deps;
  }

  async init(metadata: ComponentMetadata, signal: AbortSignal): Promise<void> {
    const { name, logger, clock } = this.#deps;
    const { issuer, audience, jwksURL } = decodeMetadata(bearerFields, metadata, { component: name, logger });
    this.#issuer = issuer;
    this.#audience = audience;
    const url =
      jwksURL ??
      (await attempt("failed to retrieve OpenID Configuration document", () => discoverJwksUrl(issuer, clock, signal)));
    const keys = new IssuerKeys(url, clock, logger);
    this.#keys = keys;
    await attempt("failed to fetch JWKS", () => keys.open(signal));
  }

  async handle(request: MiddlewareRequest, next: MiddlewareNext): Promise<HttpResponse> {
    const authorization = headerValue(request.headers, "authorization") ?? "";
    const isValid =
      authorization.slice(0, PREFIX.length).toLowerCase() === PREFIX &&
      (await this.#isValid(authorization.slice(PREFIX.length)));
    return isValid ? await next(request) : plainAnswer(401);
  }

  async close(): Promise<void> {
    this.#keys?.close();
  }

  async #isValid(token: string): Promise<boolean> {
    if (token.length < TOKEN_CHARACTERS_MIN || token.length > TOKEN_CHARACTERS_MAX) {
      return false;
    }
    const nowMs = this.#deps.clock.now();
    try {
      const { kid } = decodeProtectedHeader(token);
      const find = kid === undefined ? undefined : await this.#keys?.setWith(kid);
      if (find === undefined) {
        return false;
      }
      const { payload } = await jwtVerify(token, find, {
        issuer: this.#issuer,
        audience: this.#audience,
        algorithms: ALGORITHMS,
        clockTolerance: CLOCK_SKEW_S,
        currentDate: new Date(nowMs),
      });
      return (payload.iat ?? 0) <= nowMs / 1_000 + CLOCK_SKEW_S;
    } catch {
      // Whatever is wrong with it: the caller learns no more than that, and the log holds no tokens.
      return false;
    }
  }
}

async function attempt<T>(what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    throw new ComponentError("unavailable", `${what}: ${errorMessage(cause)}`, { cause });
  }
}
