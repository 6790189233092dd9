import { errorMessage } from "../../kit/error-message.ts";
import { compileGoRegexp, type GoRegexp } from "../../kit/go-regexp.ts";
import type { HttpResponse } from "../../net/http/types.ts";
import type { ComponentDeps, ComponentMetadata } from "../spi/component.ts";
import { ComponentError } from "../spi/errors.ts";
import { decodeMetadata } from "../spi/metadata.ts";
import { plainAnswer } from "../spi/middleware-answer.ts";
import type { HttpMiddleware, MiddlewareNext, MiddlewareRequest } from "../spi/middleware.ts";
import { routerCheckerFields } from "./manifest.ts";

/** Makes the middleware; see the manifest. */
export function createRouterChecker(deps: ComponentDeps): HttpMiddleware {
  return new RouterChecker(deps);
}

class RouterChecker implements HttpMiddleware {
  readonly #deps: ComponentDeps;
  #rule: GoRegexp | undefined;

  constructor(deps: ComponentDeps) {
    this.#deps = deps;
  }

  async init(metadata: ComponentMetadata): Promise<void> {
    const { name, logger } = this.#deps;
    const { rule } = decodeMetadata(routerCheckerFields, metadata, { component: name, logger });
    try {
      this.#rule = compileGoRegexp(rule);
    } catch (cause) {
      throw new ComponentError("invalidMetadata", `failed to compile rule regexp: ${errorMessage(cause)}`, { cause });
    }
  }

  async handle(request: MiddlewareRequest, next: MiddlewareNext): Promise<HttpResponse> {
    return this.#rule?.test(request.target) === true ? await next(request) : plainAnswer(400, "invalid router");
  }

  async close(): Promise<void> {
    // Nothing is held.
  }
}
