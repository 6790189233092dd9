import { headerValue } from "../../net/http/headers.ts";
import type { HttpResponse } from "../../net/http/types.ts";
import type { ComponentDeps, ComponentMetadata } from "../spi/component.ts";
import { ComponentError } from "../spi/errors.ts";
import { withHeader } from "../spi/header-edit.ts";
import { decodeMetadata } from "../spi/metadata.ts";
import { plainAnswer } from "../spi/middleware-answer.ts";
import type { HttpMiddleware, MiddlewareNext, MiddlewareRequest } from "../spi/middleware.ts";
import { decodedPath } from "../../net/http/request-target.ts";
import { clientAddress } from "./client-address.ts";
import { rateLimitFields } from "./manifest.ts";
import { TokenBuckets } from "./token-buckets.ts";

/** Pairs of caller and path that are counted at a time; the least recently seen ones are forgotten. */
const BUCKETS_MAX = 65_536;
/** Characters of a path that tell it from others. */
const PATH_CHARACTERS_MAX = 256;

/** Makes the middleware; see the manifest. */
export function createRateLimit(deps: ComponentDeps): HttpMiddleware {
  return new RateLimit(deps);
}

class RateLimit implements HttpMiddleware {
  readonly #deps: ComponentDeps;
  #buckets = new TokenBuckets(1, BUCKETS_MAX);
  #limitText = "";
  #roundedLimitText = "";

  constructor(deps: ComponentDeps) {
    this.#deps = deps;
  }

  async init(metadata: ComponentMetadata): Promise<void> {
    const { name, logger } = this.#deps;
    const { maxRequestsPerSecond } = decodeMetadata(rateLimitFields, metadata, { component: name, logger });
    if (maxRequestsPerSecond <= 0) {
      throw new ComponentError("invalidMetadata", "metadata property maxRequestsPerSecond must be a positive value");
    }
    this.#buckets = new TokenBuckets(maxRequestsPerSecond, BUCKETS_MAX);
    this.#limitText = maxRequestsPerSecond.toFixed(2);
    this.#roundedLimitText = String(Math.round(maxRequestsPerSecond));
  }

  async handle(given: MiddlewareRequest, next: MiddlewareNext): Promise<HttpResponse> {
    let address = clientAddress(given);
    let request = given;
    if (address === "") {
      address = "0.0.0.0";
      request = { ...given, headers: withHeader(given.headers, "x-forwarded-for", address) };
    }
    const path = decodedPath(request.target).slice(0, PATH_CHARACTERS_MAX);
    const left = this.#buckets.take(`${address}|${path}`, this.#deps.clock.monotonicMs());
    const headers = this.#headers(request, left ?? 0);
    if (left === undefined) {
      return plainAnswer(429, "You have reached maximum request limit.", headers);
    }
    const response = await next(request);
    return { ...response, headers: [...headers, ...response.headers] };
  }

  async close(): Promise<void> {
    // Nothing is held.
  }

  #headers({ headers, remoteAddress }: MiddlewareRequest, left: number): string[] {
    const list = ["x-rate-limit-limit", this.#limitText, "x-rate-limit-duration", "1"];
    const forwarded = headerValue(headers, "x-forwarded-for") ?? "";
    if (forwarded.trim() !== "") {
      list.push("x-rate-limit-request-forwarded-for", forwarded);
    }
    list.push("x-rate-limit-request-remote-addr", remoteAddress);
    list.push("ratelimit-limit", this.#roundedLimitText, "ratelimit-reset", "1", "ratelimit-remaining", String(left));
    return list;
  }
}
