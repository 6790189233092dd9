import type { HeaderList, HttpExchange } from "../../net/http/types.ts";

const METHODS = new Set(["HEAD", "GET", "POST", "PUT", "PATCH", "DELETE"]);
const PREFLIGHT_VARY = [
  "vary",
  "Origin",
  "vary",
  "Access-Control-Request-Method",
  "vary",
  "Access-Control-Request-Headers",
];

/** What a request's origin means for its answer. */
export interface Cors {
  /** Answers a preflight; false when the request is none. */
  answerPreflight(exchange: HttpExchange): boolean;
  /** Headers to add to the answer of an actual request. */
  responseHeaders(exchange: HttpExchange): HeaderList;
}

/**
 * CORS for `--allowed-origins`: `*`, or a comma list of origins, each with at most one `*`. Any header is allowed;
 * the methods are those that Dapr allows.
 */
export function createCors(allowedOrigins: string): Cors {
  const allowAll = allowedOrigins === "*";
  const allows = originMatcher(allowedOrigins);
  return {
    answerPreflight(exchange) {
      const requestedMethod = exchange.header("access-control-request-method");
      if (exchange.method !== "OPTIONS" || requestedMethod === undefined || requestedMethod === "") {
        return false;
      }
      exchange.respond(200, preflightHeaders(exchange, requestedMethod.toUpperCase(), allowAll, allows));
      return true;
    },
    responseHeaders(exchange) {
      const origin = exchange.header("origin");
      if (origin === undefined || origin === "" || !allows(origin)) {
        return ["vary", "Origin"];
      }
      return ["vary", "Origin", "access-control-allow-origin", allowAll ? "*" : origin];
    },
  };
}

function preflightHeaders(
  exchange: HttpExchange,
  method: string,
  allowAll: boolean,
  allows: (origin: string) => boolean,
): HeaderList {
  const origin = exchange.header("origin") ?? "";
  if (origin === "" || !allows(origin) || !METHODS.has(method)) {
    return PREFLIGHT_VARY;
  }
  const headers = [
    ...PREFLIGHT_VARY,
    "access-control-allow-origin",
    allowAll ? "*" : origin,
    "access-control-allow-methods",
    method,
  ];
  const requested = exchange.header("access-control-request-headers");
  if (requested !== undefined && requested !== "") {
    headers.push("access-control-allow-headers", requested);
  }
  return headers;
}

function originMatcher(allowedOrigins: string): (origin: string) => boolean {
  const exact = new Set<string>();
  const patterns: (readonly [string, string])[] = [];
  for (const raw of allowedOrigins.split(",")) {
    const origin = raw.trim().toLowerCase();
    const star = origin.indexOf("*");
    if (origin === "*") {
      return () => true;
    }
    if (star === -1) {
      exact.add(origin);
    } else {
      patterns.push([origin.slice(0, star), origin.slice(star + 1)]);
    }
  }
  return (origin) => {
    const lower = origin.toLowerCase();
    return (
      exact.has(lower) ||
      patterns.some(
        ([head, tail]) => lower.length >= head.length + tail.length && lower.startsWith(head) && lower.endsWith(tail),
      )
    );
  };
}
