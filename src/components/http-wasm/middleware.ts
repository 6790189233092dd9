import { errorMessage } from "../../kit/error-message.ts";
import type { Logger } from "../../kit/logger.ts";
import type { HeaderList, HttpResponse } from "../../net/http/types.ts";
import type { ComponentDeps, ComponentMetadata } from "../spi/component.ts";
import { ComponentError } from "../spi/errors.ts";
import { checkHeader, withoutHeader } from "../spi/header-edit.ts";
import { decodeMetadata } from "../spi/metadata.ts";
import { plainAnswer } from "../spi/middleware-answer.ts";
import type { HttpMiddleware, MiddlewareNext, MiddlewareRequest } from "../spi/middleware.ts";
import { HELD_BODY_BYTES_MAX, wholeBody } from "../spi/whole-body.ts";
import { BUFFER_REQUEST, BUFFER_RESPONSE, type GuestRequest, type GuestResponse } from "./guest-messages.ts";
import { loadGuest } from "./guest-module.ts";
import { GuestPool, NoInstanceError } from "./guest-pool.ts";
import { type GuestResult, GuestThread } from "./guest-thread.ts";
import { httpWasmFields } from "./manifest.ts";
import { RequestBody } from "./request-body.ts";

type RequestResult = Extract<GuestResult, { kind: "requestDone" }>;

const METHOD = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const TARGET = /^\/[\x21-\x7e]*$/;
const NO_BYTES = new Uint8Array(0);

/** Makes the middleware; see the manifest. */
export function createHttpWasm(deps: ComponentDeps): HttpMiddleware {
  return new HttpWasm(deps);
}

class HttpWasm implements HttpMiddleware {
  readonly #deps: ComponentDeps;
  #pool: GuestPool | undefined;

  constructor(deps: ComponentDeps) {
    this.#deps = deps;
  }

  async init(metadata: ComponentMetadata, signal: AbortSignal): Promise<void> {
    const { name, logger, clock, directory = "" } = this.#deps;
    const fields = decodeMetadata(httpWasmFields, metadata, { component: name, logger });
    if (fields.maxInstances < 1) {
      throw new ComponentError("invalidMetadata", "metadata field maxInstances must be at least 1");
    }
    const { strictSandbox, guestConfig: config } = fields;
    try {
      const module = await loadGuest({ url: fields.url, directory, clock }, signal);
      // Whoever gave up meanwhile has closed what there was, and would not close what is made now.
      signal.throwIfAborted();
      const options = { module, config, strictSandbox, logLevel: leastLevel(logger), clock, logger };
      this.#pool = new GuestPool(
        async () => {
          const thread = new GuestThread(options);
          await thread.open();
          return thread;
        },
        fields.maxInstances,
        clock,
      );
      // The first instance is made at once, so that a guest that cannot start keeps the component from starting.
      this.#pool.release(await this.#pool.acquire());
    } catch (cause) {
      throw cause instanceof ComponentError ? cause : new ComponentError("unavailable", errorMessage(cause), { cause });
    }
  }

  async handle(request: MiddlewareRequest, next: MiddlewareNext): Promise<HttpResponse> {
    const body = new RequestBody(request.body, request.bodyBytesMax === 0 ? HELD_BODY_BYTES_MAX : request.bodyBytesMax);
    const pool = this.#pool as GuestPool;
    let held: GuestThread | undefined;
    try {
      held = await pool.acquire();
      const first = (await held.run({ kind: "request", request: guestRequest(request) }, body)) as RequestResult;
      if (!first.next) {
        return answerOf(first.response, []);
      }
      if (first.context === 0) {
        pool.release(held);
        held = undefined;
      }
      return await this.#continue(request, body, first, next, held);
    } catch (error) {
      return this.#failed(error, body);
    } finally {
      if (held !== undefined) {
        pool.release(held);
      }
    }
  }

  async close(): Promise<void> {
    await this.#pool?.close();
  }

  /** @param held the instance that keeps something for the answer; undefined: any will do */
  async #continue(
    request: MiddlewareRequest,
    body: RequestBody,
    first: RequestResult,
    next: MiddlewareNext,
    held: GuestThread | undefined,
  ): Promise<HttpResponse> {
    const passed = changedRequest(request, body, first);
    const isHeld = (first.features & BUFFER_RESPONSE) !== 0;
    let answer: HttpResponse | undefined;
    let failure: unknown;
    try {
      answer = await next(passed);
      if (isHeld) {
        answer = { ...answer, body: await wholeBody(answer.body, request.bodyBytesMax) };
      }
    } catch (error) {
      failure = error;
    }
    const changed = await this.#showAnswer(first, answer, held);
    if (answer === undefined) {
      throw new PassedError(failure);
    }
    const early = first.response.headers;
    checkHeaders(early);
    return isHeld
      ? answerOf({ ...changed, headers: [...early, ...changed.headers] }, answer.headers)
      : { ...answer, headers: [...early, ...answer.headers] };
  }

  async #showAnswer(
    { context, features, request }: RequestResult,
    answer: HttpResponse | undefined,
    held: GuestThread | undefined,
  ): Promise<GuestResponse> {
    const pool = this.#pool as GuestPool;
    const thread = held ?? (await pool.acquire());
    const body = answer?.body instanceof Uint8Array ? answer.body : undefined;
    try {
      const { response } = await thread.run(
        {
          kind: "response",
          context,
          failed: answer === undefined,
          features,
          request,
          response: {
            status: answer?.status ?? 500,
            headers: [...(answer?.headers ?? [])],
            body: (features & BUFFER_RESPONSE) === 0 ? undefined : body,
          },
        },
        undefined,
      );
      return response;
    } finally {
      if (held === undefined) {
        pool.release(thread);
      }
    }
  }

  /** @throws what reading the body or the next handler threw; a guest's failure is answered */
  #failed(error: unknown, body: RequestBody): HttpResponse {
    if (error instanceof PassedError) {
      throw error.cause;
    }
    if (body.failure !== undefined) {
      throw body.failure;
    }
    this.#deps.logger.error(errorMessage(error));
    return plainAnswer(error instanceof NoInstanceError ? 503 : 500);
  }
}

/** What the next handler threw, on its way past the guest. */
class PassedError extends Error {
  override readonly name = "PassedError";

  constructor(cause: unknown) {
    super("the next handler failed", { cause });
  }
}

function guestRequest({ method, target, headers, protocol, remoteAddress }: MiddlewareRequest): GuestRequest {
  return {
    method,
    uri: target,
    protocol: protocol === "HTTP/2" ? "HTTP/2.0" : protocol,
    sourceAddress: remoteAddress,
    headers: [...headers],
  };
}

/** @throws Error for a method, target or header that HTTP does not allow */
function changedRequest(given: MiddlewareRequest, body: RequestBody, first: RequestResult): MiddlewareRequest {
  const { method, uri } = first.request;
  if (!METHOD.test(method) || (uri !== given.target && !TARGET.test(uri))) {
    throw new Error("wasm: the guest has set a method or URI that HTTP does not allow");
  }
  const headers = changedHeaders(given.headers, first.request.headers);
  if (first.body === undefined) {
    return { ...given, method, target: uri, headers, body: body.left((first.features & BUFFER_REQUEST) !== 0) };
  }
  return { ...given, method, target: uri, headers: withoutHeader(headers, "content-length"), body: first.body };
}

/** What the guest has left alone was checked by whoever read it. */
function changedHeaders(given: HeaderList, changed: HeaderList): HeaderList {
  const before = new Set<string>();
  for (let index = 0; index + 1 < given.length; index += 2) {
    before.add(`${(given[index] as string).toLowerCase()}\0${given[index + 1]}`);
  }
  const added: string[] = [];
  for (let index = 0; index + 1 < changed.length; index += 2) {
    if (!before.has(`${(changed[index] as string).toLowerCase()}\0${changed[index + 1]}`)) {
      added.push(changed[index] as string, changed[index + 1] as string);
    }
  }
  checkHeaders(added);
  return changed;
}

function checkHeaders(headers: readonly string[]): void {
  for (let index = 0; index + 1 < headers.length; index += 2) {
    checkHeader(headers[index] as string, headers[index + 1] as string);
  }
}

/** @param given headers that were there before the guest. @throws Error for a status or header that HTTP does not allow */
function answerOf({ status, headers, body }: GuestResponse, given: HeaderList): HttpResponse {
  if (!Number.isInteger(status) || status < 200 || status > 999) {
    throw new Error(`wasm: the guest has set the status ${status}, which is none of an answer`);
  }
  return { status, headers: changedHeaders(given, withoutHeader(headers, "content-length")), body: body ?? NO_BYTES };
}

/** As the ABI numbers levels: debug -1, info 0, warn 1, error 2, none 3. */
function leastLevel(logger: Logger): number {
  const levels = ["debug", "info", "warn", "error"] as const;
  const least = levels.findIndex((level) => logger.enabled(level));
  return least === -1 ? 3 : least - 1;
}
