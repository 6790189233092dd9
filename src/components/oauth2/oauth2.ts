import { timingSafeEqual } from "node:crypto";
import { errorMessage } from "../../kit/error-message.ts";
import { headerValue } from "../../net/http/headers.ts";
import type { HeaderList, HttpResponse } from "../../net/http/types.ts";
import type { ComponentDeps, ComponentMetadata } from "../spi/component.ts";
import { ComponentError } from "../spi/errors.ts";
import { checkHeader, withHeader } from "../spi/header-edit.ts";
import { decodeMetadata, type DecodedMetadata } from "../spi/metadata.ts";
import { plainAnswer, redirectAnswer } from "../spi/middleware-answer.ts";
import type { HttpMiddleware, MiddlewareNext, MiddlewareRequest } from "../spi/middleware.ts";
import { splitTarget } from "../../net/http/request-target.ts";
import { oauth2Fields } from "./oauth2-manifest.ts";
import { pathFilter } from "./path-filter.ts";
import { localTarget, returnLocation } from "./return-target.ts";
import { SESSION_MS, sessionCookie, sessionIdOf, Sessions } from "./sessions.ts";
import { TokenEndpoint } from "./token-endpoint.ts";

/** Makes the middleware; see the manifest. */
export function createOAuth2(deps: ComponentDeps): HttpMiddleware {
  return new OAuth2(deps);
}

type Fields = DecodedMetadata<typeof oauth2Fields>;

interface Provider extends Fields {
  readonly endpoint: TokenEndpoint;
  readonly needsSignIn: (target: string) => boolean;
}

class OAuth2 implements HttpMiddleware {
  readonly #deps: ComponentDeps;
  readonly #sessions: Sessions;
  #provider: Provider | undefined;

  constructor(deps: ComponentDeps) {
    this.#deps = deps;
    this.#sessions = new Sessions(deps.clock, deps.random);
  }

  async init(metadata: ComponentMetadata): Promise<void> {
    const { name, logger, clock } = this.#deps;
    const fields = decodeMetadata(oauth2Fields, metadata, { component: name, logger });
    const { tokenURL: tokenUrl, clientID: clientId, clientSecret } = fields;
    checkHeader(fields.authHeaderName, "");
    let needsSignIn;
    try {
      needsSignIn = pathFilter(fields.pathFilter);
    } catch (cause) {
      throw new ComponentError("invalidMetadata", errorMessage(cause), { cause });
    }
    const endpoint = new TokenEndpoint({ tokenUrl, clientId, clientSecret, proof: "either", clock });
    this.#provider = { ...fields, endpoint, needsSignIn };
  }

  async handle(request: MiddlewareRequest, next: MiddlewareNext): Promise<HttpResponse> {
    const provider = this.#provider as Provider;
    if (!provider.needsSignIn(request.target)) {
      return await next(request);
    }
    const id = sessionIdOf(headerValue(request.headers, "cookie"));
    const header = this.#sessions.headerOf(id);
    if (header !== undefined) {
      return await next({ ...request, headers: withHeader(request.headers, provider.authHeaderName, header) });
    }
    const query = new URLSearchParams(splitTarget(request.target).query);
    const state = query.get("state") ?? "";
    return state === ""
      ? this.#sendToProvider(provider, request, id)
      : await this.#comeBack(provider, request, id, state, query.get("code") ?? "");
  }

  async close(): Promise<void> {
    // Sessions end with the instance.
  }

  #sendToProvider(provider: Provider, request: MiddlewareRequest, id: string | undefined): HttpResponse {
    const state = this.#deps.random.uuid();
    const session = this.#sessions.begin(id, { state, target: localTarget(request.target) });
    const query = new URLSearchParams({ access_type: "offline", client_id: provider.clientID });
    if (provider.redirectURL !== "") {
      query.set("redirect_uri", provider.redirectURL);
    }
    query.set("response_type", "code");
    if (provider.scopes !== "") {
      query.set("scope", provider.scopes.split(",").join(" "));
    }
    query.set("state", state);
    const { authURL } = provider;
    const location = `${authURL}${authURL.includes("?") ? "&" : "?"}${query.toString()}`;
    return redirectAnswer(location, session === id ? [] : this.#cookie(provider, request, session));
  }

  async #comeBack(
    provider: Provider,
    request: MiddlewareRequest,
    id: string | undefined,
    state: string,
    code: string,
  ): Promise<HttpResponse> {
    const { logger } = this.#deps;
    const pending = this.#sessions.pendingOf(id);
    if (pending === undefined || id === undefined) {
      logger.error("Somebody came back from signing in whose session is not known, or is over");
      return plainAnswer(500);
    }
    if (!isSame(state, pending.state)) {
      return plainAnswer(400, "invalid state");
    }
    if (code === "") {
      return plainAnswer(400, "code not found");
    }
    const form = new URLSearchParams({ grant_type: "authorization_code", code });
    if (provider.redirectURL !== "") {
      form.set("redirect_uri", provider.redirectURL);
    }
    try {
      const token = await provider.endpoint.request(form, request.signal);
      checkHeader(provider.authHeaderName, token.header);
      const session = this.#sessions.signIn(id, token.header, token.livesMs ?? SESSION_MS);
      return redirectAnswer(
        returnLocation(pending.target, request.headers, provider.forceHTTPS),
        this.#cookie(provider, request, session),
      );
    } catch (error) {
      logger.error(`Failed to exchange token: ${errorMessage(error)}`);
      return plainAnswer(500);
    }
  }

  #cookie({ forceHTTPS }: Provider, { headers }: MiddlewareRequest, session: string): HeaderList {
    const host = headerValue(headers, "host") ?? "";
    return ["set-cookie", sessionCookie(session, host, this.#deps.clock.now(), forceHTTPS)];
  }
}

function isSame(given: string, expected: string): boolean {
  const one = Buffer.from(given);
  const other = Buffer.from(expected);
  return one.byteLength === other.byteLength && timingSafeEqual(one, other);
}
