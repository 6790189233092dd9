import { ApiError, apiError } from "../../errors/error.ts";
import { commonErrors } from "../../errors/catalogue/common.ts";
import type { Clock } from "../../kit/clock.ts";
import type { Logger } from "../../kit/logger.ts";
import { BodyTooLargeError, PeerGoneError } from "../../net/http/errors.ts";
import { splitTarget } from "../../net/http/request-target.ts";
import type { HttpExchange } from "../../net/http/types.ts";
import { type ApiAccessRules, isApiAllowed } from "../access-rules.ts";
import { type Cors, createCors } from "./cors.ts";
import { errorBody } from "./errors.ts";
import { describeRoute, type ExchangeTracing } from "./exchange-tracing.ts";
import { type DoorPipeline, serveThroughPipeline } from "./pipeline.ts";
import { respondJson } from "./reply.ts";
import type { Route, RouteHandler } from "./route.ts";
import { BadEscapeError, Router } from "./router.ts";

/** Header that carries the API token in both directions. */
const TOKEN_HEADER = "dapr-api-token";
const PLAIN_TEXT = ["content-type", "text/plain; charset=utf-8", "x-content-type-options", "nosniff"];
const HEALTH_PATHS = new Set(["/v1.0/healthz", "/v1.0/healthz/outbound"]);

/** What became of an exchange; `route` is undefined for the fallback. Called after the answer has been handed over. */
export interface HttpDoorObserver {
  exchangeDone(exchange: HttpExchange, route: Route | undefined, path: string, latencyMs: number): void;
  /** A catalogue error was answered. */
  errorAnswered(error: ApiError): void;
}

export interface HttpDoorOptions {
  readonly routes: readonly Route[];
  /** Handles every exchange that no route matches: service invocation by header. */
  readonly fallback: RouteHandler;
  /** Empty: no token is asked for. */
  readonly apiToken: string;
  /** `--allowed-origins`; empty: no CORS. */
  readonly allowedOrigins: string;
  readonly accessRules: ApiAccessRules;
  /** `spec.httpPipeline`; absent: there is none. */
  readonly pipeline?: DoorPipeline | undefined;
  /** Absent: exchanges have no spans, and trace headers pass through untouched. */
  readonly tracing?: ExchangeTracing | undefined;
  readonly observer: HttpDoorObserver;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Serves one exchange; never rejects. */
export type HttpDoor = (exchange: HttpExchange) => void;

/**
 * The HTTP API: path cleaning, CORS, token, middlewares, route, errors, in Dapr's order. It holds no rule of any building block.
 */
export function createHttpDoor(options: HttpDoorOptions): HttpDoor {
  const router = new Router(options.routes.filter((route) => isServed(route, options.accessRules)));
  const cors = options.allowedOrigins === "" ? undefined : createCors(options.allowedOrigins);
  const door = new Door(options, router, cors);
  return (exchange) => void door.serve(exchange);
}

/** Rules name an API by `<version>/<group>` or by a prefix of its path without the leading slash. */
function isServed(route: Route, rules: ApiAccessRules): boolean {
  if (route.health === true) {
    return true;
  }
  const group = `${route.group.version}/${route.group.name}`;
  const legacyPath = route.path.slice(1);
  return isApiAllowed(rules, "http", (rule) => {
    const key = `${rule.version}/${rule.name}`;
    return key === group || legacyPath.startsWith(key);
  });
}

class Door {
  readonly #options: HttpDoorOptions;
  readonly #router: Router;
  readonly #cors: Cors | undefined;

  constructor(options: HttpDoorOptions, router: Router, cors: Cors | undefined) {
    this.#options = options;
    this.#router = router;
    this.#cors = cors;
  }

  async serve(exchange: HttpExchange): Promise<void> {
    const startMs = this.#options.clock.monotonicMs();
    const target = exchange.target;
    const mark = target.indexOf("?");
    const path = mark === -1 ? target : target.slice(0, mark);
    let route: Route | undefined;
    try {
      if (this.#options.tracing?.begin(exchange, path) === false || this.#answerEarly(exchange, path)) {
        return;
      }
      if (this.#options.pipeline !== undefined) {
        await serveThroughPipeline(this.#options.pipeline, exchange, async (inner) => {
          route = await this.#serveRoute(inner);
        });
        return;
      }
      const match = this.#router.find(exchange.method, path);
      route = match?.route;
      if (match !== undefined && exchange.trace !== undefined) {
        describeRoute(exchange, match.route, match.params);
      }
      const query = mark === -1 ? "" : target.slice(mark + 1);
      const handled =
        match === undefined
          ? this.#options.fallback(exchange, NO_PARAMS, query)
          : match.route.handler(exchange, match.params, query);
      if (handled !== undefined) {
        await handled;
      }
    } catch (error) {
      this.#answerError(exchange, error);
    } finally {
      this.#options.tracing?.end(exchange);
      this.#options.observer.exchangeDone(exchange, route, path, this.#options.clock.monotonicMs() - startMs);
    }
  }

  /** What comes out of the pipeline, whose method and path may not be the caller's. */
  async #serveRoute(exchange: HttpExchange): Promise<Route | undefined> {
    const { path, query } = splitTarget(exchange.target);
    let route: Route | undefined;
    try {
      const match = this.#router.find(exchange.method, path);
      route = match?.route;
      if (match !== undefined && exchange.trace !== undefined) {
        describeRoute(exchange, match.route, match.params);
      }
      await (match === undefined
        ? this.#options.fallback(exchange, NO_PARAMS, query)
        : match.route.handler(exchange, match.params, query));
    } catch (error) {
      this.#answerError(exchange, error);
    }
    return route;
  }

  /** Preflights and missing tokens never reach a route. */
  #answerEarly(exchange: HttpExchange, path: string): boolean {
    if (this.#cors !== undefined) {
      if (this.#cors.answerPreflight(exchange)) {
        return true;
      }
      exchange.addResponseHeaders(this.#cors.responseHeaders(exchange));
    }
    const token = this.#options.apiToken;
    if (token === "" || exchange.header(TOKEN_HEADER) === token || isHealthProbe(exchange, path)) {
      return false;
    }
    exchange.respond(401, PLAIN_TEXT, "invalid api token\n");
    return true;
  }

  #answerError(exchange: HttpExchange, error: unknown): void {
    if (exchange.answered) {
      this.#options.logger.error(
        `error after the answer to ${exchange.method} ${exchange.target} had begun: ${describe(error)}`,
      );
      return;
    }
    if (error instanceof PeerGoneError) {
      this.#options.logger.debug(`the caller went away before ${exchange.method} ${exchange.target} was answered`);
      return;
    }
    if (error instanceof BadEscapeError) {
      exchange.respond(400, PLAIN_TEXT, `${error.message}\n`);
      return;
    }
    const apiFailure = this.#asApiError(exchange, error);
    this.#options.observer.errorAnswered(apiFailure);
    respondJson(exchange, apiFailure.httpStatus, errorBody(apiFailure));
  }

  #asApiError(exchange: HttpExchange, error: unknown): ApiError {
    if (error instanceof ApiError) {
      return error;
    }
    if (error instanceof BodyTooLargeError) {
      return apiError(commonErrors.bodyTooLarge, { limit: error.limitBytes }, { cause: error });
    }
    this.#options.logger.error(
      `bug: ${exchange.method} ${exchange.target} failed with no catalogue error: ${describe(error)}`,
    );
    return apiError(
      commonErrors.internal,
      { reason: error instanceof Error ? error.message : String(error) },
      { cause: error },
    );
  }
}

const NO_PARAMS = Object.freeze({});

function isHealthProbe(exchange: HttpExchange, path: string): boolean {
  const trimmed = path.endsWith("/") ? path.slice(0, -1) : path;
  return exchange.method === "GET" && HEALTH_PATHS.has(trimmed);
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
