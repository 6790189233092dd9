import type { Body, HttpResponse } from "../../net/http/types.ts";
import type { ComponentDeps, ComponentMetadata } from "../spi/component.ts";
import { EndingBody } from "../spi/ending-body.ts";
import { withoutHeader } from "../spi/header-edit.ts";
import { decodeMetadata } from "../spi/metadata.ts";
import type { HttpMiddleware, MiddlewareNext, MiddlewareRequest } from "../spi/middleware.ts";
import { uppercaseFields } from "./manifest.ts";
import { UppercaseBytes } from "./uppercase-bytes.ts";

/** Makes the middleware; see the manifest. */
export function createUppercase(deps: ComponentDeps): HttpMiddleware {
  return new Uppercase(deps);
}

class Uppercase implements HttpMiddleware {
  readonly #deps: ComponentDeps;
  #requests = true;
  #responses = false;

  constructor(deps: ComponentDeps) {
    this.#deps = deps;
  }

  async init(metadata: ComponentMetadata): Promise<void> {
    const { name, logger } = this.#deps;
    const direction = decodeMetadata(uppercaseFields, metadata, { component: name, logger }).direction.toLowerCase();
    this.#responses = direction === "response" || direction === "both";
    this.#requests = direction !== "response";
  }

  async handle(request: MiddlewareRequest, next: MiddlewareNext): Promise<HttpResponse> {
    const response = await next(this.#requests ? uppercased(request) : request);
    return this.#responses ? freeing(uppercased(response), response.body) : response;
  }

  async close(): Promise<void> {
    // Nothing is held.
  }
}

function uppercased<T extends MiddlewareRequest | HttpResponse>(message: T): T {
  return {
    ...message,
    headers: withoutHeader(message.headers, "content-length"),
    body: uppercasedBody(message.body),
  };
}

/** An answer that gives up what it is made of with itself, which a generator that was never begun would not do. */
function freeing(response: HttpResponse, source: Body): HttpResponse {
  const { body } = response;
  return body instanceof Uint8Array || source instanceof Uint8Array
    ? response
    : { ...response, body: new EndingBody(body, () => void source[Symbol.asyncIterator]().return?.()) };
}

function uppercasedBody(body: Body): Body {
  const converter = new UppercaseBytes();
  return body instanceof Uint8Array
    ? Buffer.concat([converter.convert(body), converter.end()])
    : uppercasedStream(body, converter);
}

async function* uppercasedStream(
  body: AsyncIterable<Uint8Array>,
  converter: UppercaseBytes,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of body) {
    yield converter.convert(chunk);
  }
  yield converter.end();
}
