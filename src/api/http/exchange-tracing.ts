import { baggageFault } from "../../kit/baggage.ts";
import { SPAN_KIND, type Tracer, type TraceSpan } from "../../kit/trace-context.ts";
import type { HttpExchange } from "../../net/http/types.ts";
import { decodedPath, pathOf } from "../../net/http/request-target.ts";
import { httpStatusText } from "../http-status-text.ts";
import { describeActorCall, describeComponentCall, describePublish, describeUserHeader } from "../span-attributes.ts";
import { callerTrace } from "./request-trace.ts";
import type { PathParams, Route } from "./route.ts";

const PLAIN_TEXT = ["content-type", "text/plain; charset=utf-8", "x-content-type-options", "nosniff"];
/** Statuses from here on are failures of the span. */
const FAILED_FROM = 400;

/** The span of every exchange of a door, health probes aside. */
export class ExchangeTracing {
  readonly #tracer: Tracer;

  constructor(tracer: Tracer) {
    this.#tracer = tracer;
  }

  /**
   * Begins the exchange's span and tells the caller its baggage.
   *
   * @returns false when the baggage is broken: the exchange has been answered
   */
  begin(exchange: HttpExchange, path: string): boolean {
    if (path.includes("/healthz")) {
      return true;
    }
    const baggage = baggageOf(exchange);
    if (baggage !== undefined) {
      const fault = baggageFault(baggage);
      if (fault !== undefined) {
        exchange.respond(400, PLAIN_TEXT, `invalid baggage header: ${fault}\n`);
        return false;
      }
      exchange.addResponseHeaders(["baggage", baggage]);
    }
    const name = path.includes("%") ? decodedPath(path) : path;
    exchange.trace = this.#tracer.start(name, SPAN_KIND.client, callerTrace(exchange));
    return true;
  }

  /** Ends it, when the answer is over. */
  end(exchange: HttpExchange): void {
    const span = exchange.trace;
    if (span?.recording === true) {
      describeExchange(span, exchange);
    }
    span?.end();
  }
}

/** Says of a span what its route and the places of its path mean, before the route runs. */
export function describeRoute(exchange: HttpExchange, { group, name }: Route, params: PathParams): void {
  const span = exchange.trace;
  if (span?.recording !== true) {
    return;
  }
  const statement = `${exchange.method} ${span.name}`;
  switch (group.name) {
    case "state":
      describeComponentCall(span, "state", params["store"] ?? "", statement);
      break;
    case "secrets":
      describeComponentCall(span, "secrets", params["store"] ?? "", statement);
      break;
    case "bindings":
      describeComponentCall(span, "bindings", params["name"] ?? "", statement);
      break;
    case "publish":
      describePublish(span, params["*"] ?? "");
      break;
    case "actors":
      describeActorRoute(span, name, params, statement);
      break;
    default:
  }
}

function describeActorRoute(span: TraceSpan, route: string, params: PathParams, statement: string): void {
  const { type = "", id = "" } = params;
  if (route === "InvokeActor") {
    describeActorCall(span, type, id, params["method"] ?? "");
    return;
  }
  span.set("dapr.actor", `${type}.${id}`);
  if (route.includes("State")) {
    describeComponentCall(span, "state", "actor", statement);
  }
}

function describeExchange(span: TraceSpan, exchange: HttpExchange): void {
  const { headers, method, target, responseStatus } = exchange;
  for (let index = 0; index + 1 < headers.length; index += 2) {
    describeUserHeader(span, headers[index] as string, headers[index + 1] as string);
  }
  span.set("dapr.protocol", "http");
  span.set("dapr.api", `${method} ${pathOf(target)}`);
  span.set("dapr.status_code", String(responseStatus));
  span.set("http.request.method", method);
  span.set("http.response.status_code", responseStatus);
  span.set("url.full", target);
  span.set("server.address", exchange.remoteAddress);
  if (responseStatus >= FAILED_FROM) {
    span.fail(`Code(${responseStatus}): ${httpStatusText(responseStatus) || "Unknown"}`);
  }
}

/** All `baggage` headers as one. */
function baggageOf(exchange: HttpExchange): string | undefined {
  if (exchange.header("baggage") === undefined) {
    return undefined;
  }
  const { headers } = exchange;
  const values: string[] = [];
  for (let index = 0; index + 1 < headers.length; index += 2) {
    if ((headers[index] as string).toLowerCase() === "baggage") {
      values.push(headers[index + 1] as string);
    }
  }
  return values.join(",");
}
