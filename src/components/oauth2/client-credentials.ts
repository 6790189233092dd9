import { errorMessage } from "../../kit/error-message.ts";
import type { HttpResponse } from "../../net/http/types.ts";
import type { ComponentDeps, ComponentMetadata } from "../spi/component.ts";
import { ComponentError } from "../spi/errors.ts";
import { checkHeader, withHeader } from "../spi/header-edit.ts";
import { decodeMetadata } from "../spi/metadata.ts";
import { plainAnswer } from "../spi/middleware-answer.ts";
import type { HttpMiddleware, MiddlewareNext, MiddlewareRequest } from "../spi/middleware.ts";
import { clientCredentialsFields } from "./client-credentials-manifest.ts";
import { pathFilter } from "./path-filter.ts";
import { type ClientProof, type IssuedToken, TokenEndpoint } from "./token-endpoint.ts";

/** Milliseconds that a token is used whose server does not say how long it lives. */
const UNSTATED_LIFE_MS = 3_600_000;
/** A token is given up before its end by this share of its life, so that it does not end on the way, but by no more than that. */
const EARLY_SHARE = 0.1;
const EARLY_MS_MAX = 10_000;
const PROOFS: readonly ClientProof[] = ["either", "body", "basic"];
const REQUIRED = ["headerName", "clientID", "clientSecret", "scopes", "tokenURL"] as const;

/** Makes the middleware; see the manifest. */
export function createClientCredentials(deps: ComponentDeps): HttpMiddleware {
  return new ClientCredentials(deps);
}

class ClientCredentials implements HttpMiddleware {
  readonly #deps: ComponentDeps;
  readonly #closing = new AbortController();
  #endpoint: TokenEndpoint | undefined;
  #form = new URLSearchParams();
  #headerName = "";
  #needsToken: (target: string) => boolean = () => true;
  #held: { readonly header: string; readonly untilMs: number } | undefined;
  /** The one request for a token that all who need it wait for. */
  #asking: Promise<string> | undefined;

  constructor(deps: ComponentDeps) {
    this.#deps = deps;
  }

  async init(metadata: ComponentMetadata): Promise<void> {
    const { name, logger, clock } = this.#deps;
    const fields = decodeMetadata(clientCredentialsFields, metadata, { component: name, logger });
    const problems: string[] = REQUIRED.filter((each) => fields[each] === "").map(
      (each) => `Parameter '${each}' needs to be set. `,
    );
    try {
      this.#needsToken = pathFilter(fields.pathFilter);
    } catch (error) {
      problems.push(errorMessage(error));
    }
    const proof = PROOFS[fields.authStyle];
    if (proof === undefined) {
      problems.push(`Parameter 'authStyle' can only have the values 0,1,2. Received: '${fields.authStyle}'. `);
    }
    if (problems.length > 0 || proof === undefined) {
      throw new ComponentError("invalidMetadata", `metadata errors: ${problems.join("")}`);
    }
    checkHeader(fields.headerName, "");
    this.#headerName = fields.headerName;
    this.#form = new URLSearchParams(fields.endpointParamsQuery);
    this.#form.set("grant_type", "client_credentials");
    this.#form.set("scope", fields.scopes.split(",").join(" "));
    const { tokenURL: tokenUrl, clientID: clientId, clientSecret } = fields;
    this.#endpoint = new TokenEndpoint({ tokenUrl, clientId, clientSecret, proof, clock });
  }

  async handle(request: MiddlewareRequest, next: MiddlewareNext): Promise<HttpResponse> {
    if (!this.#needsToken(request.target)) {
      return await next(request);
    }
    let header: string;
    try {
      header = await this.#token();
    } catch (error) {
      this.#deps.logger.error(`Error acquiring token: ${errorMessage(error)}`);
      return plainAnswer(500);
    }
    return await next({ ...request, headers: withHeader(request.headers, this.#headerName, header) });
  }

  async close(): Promise<void> {
    this.#closing.abort(new Error("the component is closed"));
  }

  #token(): Promise<string> | string {
    if (this.#held !== undefined && this.#deps.clock.monotonicMs() < this.#held.untilMs) {
      return this.#held.header;
    }
    this.#asking ??= this.#ask().finally(() => {
      this.#asking = undefined;
    });
    return this.#asking;
  }

  async #ask(): Promise<string> {
    const { logger, clock } = this.#deps;
    logger.info("Cached token not found, attempting to retrieve a new one");
    const token = await (this.#endpoint as TokenEndpoint).request(this.#form, this.#closing.signal);
    checkHeader(this.#headerName, token.header);
    this.#held = { header: token.header, untilMs: clock.monotonicMs() + useMs(token) };
    return token.header;
  }
}

function useMs({ livesMs }: IssuedToken): number {
  return livesMs === undefined ? UNSTATED_LIFE_MS : livesMs - Math.min(EARLY_MS_MAX, livesMs * EARLY_SHARE);
}
