import type { MiddlewareRequest } from "../spi/middleware.ts";
import { decodedPath, splitTarget } from "../../net/http/request-target.ts";

/** What a policy gets as `input`: Dapr's document. */
export interface PolicyInput {
  readonly request: {
    readonly method: string;
    readonly path: string;
    readonly path_parts: readonly string[];
    readonly raw_query: string;
    readonly query: Readonly<Record<string, readonly string[]>>;
    readonly headers: Readonly<Record<string, string>>;
    readonly scheme: string;
    readonly body: string;
  };
}

/** @param includedHeaders in the form of `canonicalHeaderName` */
export function policyInput(
  { method, target, headers }: MiddlewareRequest,
  includedHeaders: ReadonlySet<string>,
  body: string,
): PolicyInput {
  const path = decodedPath(target);
  const { query } = splitTarget(target);
  return {
    request: {
      method,
      path,
      path_parts: path.replace(/^\/+|\/+$/g, "").split("/"),
      raw_query: query,
      query: queryValues(query),
      headers: includedHeaders.size === 0 ? {} : headerValues(headers, includedHeaders),
      scheme: "",
      body,
    },
  };
}

/** As Go writes header names: `x-jwt-header` is `X-Jwt-Header`. */
export function canonicalHeaderName(name: string): string {
  return name.toLowerCase().replace(/(^|-)[a-z]/g, (letter) => letter.toUpperCase());
}

function queryValues(query: string): Record<string, string[]> {
  const values = Object.create(null) as Record<string, string[]>;
  for (const [name, value] of new URLSearchParams(query)) {
    (values[name] ??= []).push(value);
  }
  return values;
}

function headerValues(headers: MiddlewareRequest["headers"], included: ReadonlySet<string>): Record<string, string> {
  const values = Object.create(null) as Record<string, string>;
  for (let index = 0; index + 1 < headers.length; index += 2) {
    const name = canonicalHeaderName(headers[index] as string);
    if (included.has(name)) {
      const before = values[name];
      values[name] = before === undefined ? (headers[index + 1] as string) : `${before}, ${headers[index + 1]}`;
    }
  }
  return values;
}
