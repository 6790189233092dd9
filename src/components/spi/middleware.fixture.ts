import type { Logger } from "../../kit/logger.ts";
import { VirtualClock } from "../../kit/virtual-clock.fixture.ts";
import { headerValue } from "../../net/http/headers.ts";
import type { HeaderList, HttpResponse } from "../../net/http/types.ts";
import type { ComponentDeps, ComponentManifest, ComponentMetadata } from "./component.ts";
import { componentDeps } from "./component-deps.fixture.ts";
import type { HttpMiddleware, MiddlewareRequest } from "./middleware.ts";
import { wholeBody } from "./whole-body.ts";

/** What came of a request: the answer, and what reached the handler behind the middleware, where anything did. */
export interface Asked {
  readonly status: number;
  readonly headers: HeaderList;
  readonly text: string;
  readonly passed: MiddlewareRequest | undefined;
  /** First value of a header of the answer. */
  header(name: string): string | undefined;
  /** First value of a header of what was passed on. */
  sent(name: string): string | undefined;
}

/** A middleware under test. */
export interface OpenMiddleware {
  readonly middleware: HttpMiddleware;
  readonly clock: VirtualClock;
  /** `<level>: <text>` of each line. */
  readonly logged: readonly string[];
  ask(target: string, request?: Partial<MiddlewareRequest>, answer?: Partial<HttpResponse>): Promise<Asked>;
}

/** What a middleware under test is given. */
export function middlewareDeps(rest: Partial<ComponentDeps> = {}): {
  readonly deps: ComponentDeps;
  readonly clock: VirtualClock;
  readonly logged: string[];
} {
  const logged: string[] = [];
  const clock = new VirtualClock();
  const line = (level: string) => (text: string) => void logged.push(`${level}: ${text}`);
  const logger: Logger = {
    debug: line("debug"),
    info: line("info"),
    warn: line("warn"),
    error: line("error"),
    fatal: line("fatal"),
    enabled: () => true,
    scope: () => logger,
  };
  return { deps: componentDeps({ name: "middle", logger, clock, ...rest }), clock, logged };
}

/** Brings a middleware up; `ask` answers 200 behind it with the body that came, unless told otherwise. */
export async function openMiddleware(
  manifest: ComponentManifest<HttpMiddleware>,
  metadata: ComponentMetadata,
  rest: Partial<ComponentDeps> = {},
): Promise<OpenMiddleware> {
  const { deps, clock, logged } = middlewareDeps(rest);
  const middleware = (await manifest.load())(deps);
  await middleware.init(metadata, new AbortController().signal);
  return { middleware, clock, logged, ask: (...args) => askThrough(middleware, ...args) };
}

/** A request that says nothing but where it goes. */
export function plainRequest(target: string): MiddlewareRequest {
  return {
    method: "GET",
    target,
    headers: [],
    body: new Uint8Array(0),
    remoteAddress: "192.0.2.1",
    protocol: "HTTP/1.1",
    bodyBytesMax: 1024,
  };
}

async function askThrough(
  middleware: HttpMiddleware,
  target: string,
  request: Partial<MiddlewareRequest> = {},
  answer: Partial<HttpResponse> = {},
): Promise<Asked> {
  let passed: MiddlewareRequest | undefined;
  const given: MiddlewareRequest = { ...plainRequest(target), ...request };
  const { status, headers, body } = await middleware.handle(given, async (one) => {
    passed = one;
    return { status: 200, headers: [], body: await wholeBody(one.body, 0), ...answer };
  });
  const text = Buffer.from(await wholeBody(body, 0)).toString();
  return {
    status,
    headers,
    text,
    passed,
    header: (name) => headerValue(headers, name),
    sent: (name) => headerValue(passed?.headers ?? [], name),
  };
}
