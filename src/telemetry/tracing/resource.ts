import { ParseResourceError } from "./settings.ts";

/** What is said about whoever made the spans, by key. */
export type TraceResource = ReadonlyMap<string, string>;

/** What all spans are said to be made by: our tracer's name is Dapr's, since queries look for it. */
export const SCOPE_NAME = "dapr-diagnostics";

/**
 * The resource of a service's spans: its own name, then `OTEL_RESOURCE_ATTRIBUTES` and, above all, `OTEL_SERVICE_NAME`.
 *
 * @throws ParseResourceError for attributes that are no list of `key=value`
 */
export function traceResource(
  serviceName: string,
  environment: Readonly<Record<string, string | undefined>>,
): TraceResource {
  const attributes = new Map([["service.name", serviceName]]);
  for (const pair of (environment["OTEL_RESOURCE_ATTRIBUTES"] ?? "").split(",")) {
    if (pair.trim() === "") {
      continue;
    }
    const at = pair.indexOf("=");
    if (at === -1) {
      throw new ParseResourceError(`OTEL_RESOURCE_ATTRIBUTES: "${pair}" is no key=value`);
    }
    attributes.set(pair.slice(0, at).trim(), unescaped(pair.slice(at + 1).trim()));
  }
  const own = environment["OTEL_SERVICE_NAME"]?.trim() ?? "";
  if (own !== "") {
    attributes.set("service.name", own);
  }
  return attributes;
}

function unescaped(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}
