import type { HeaderList, HttpExchange } from "../../net/http/types.ts";

const JSON_HEADERS: HeaderList = ["content-type", "application/json"];
const NO_HEADERS: HeaderList = [];

/** 204 with no body, which is what Dapr answers for an empty result. */
export function respondEmpty(exchange: HttpExchange): void {
  exchange.respond(204, NO_HEADERS);
}

/** JSON text that is ready to go out. */
export function respondJson(exchange: HttpExchange, status: number, json: string | Uint8Array): void {
  exchange.respond(status, JSON_HEADERS, json);
}

/** Query parameters that begin with `metadata.`, prefix stripped, the first value winning; a shared empty object when there are none. */
export function queryMetadata(query: string): Readonly<Record<string, string>> {
  if (!query.includes("metadata.")) {
    return NO_METADATA;
  }
  // Without a prototype: `metadata.constructor` is a key like any other.
  const metadata: Record<string, string> = Object.create(null) as Record<string, string>;
  for (const [name, value] of new URLSearchParams(query)) {
    if (name.startsWith("metadata.")) {
      const key = name.slice("metadata.".length);
      metadata[key] ??= value;
    }
  }
  return metadata;
}

const NO_METADATA: Readonly<Record<string, string>> = Object.freeze({});
