import type { RequestMetadata } from "../../components/spi/request-metadata.ts";
import { parseGoDuration } from "../../kit/duration.ts";

/** Go's longest duration, about 292 years: a longer time to live is cut to it. */
const TTL_MS_MAX = 9_223_372_036_854;
/** The largest signed 64-bit integer, as near as a number comes to it. */
const INT64_LIMIT = 2 ** 63;

/**
 * Whether `rawPayload` asks for bare bytes.
 * @returns the reason, in Dapr's words, when the value is no boolean as Go reads one
 */
export function rawPayloadOf(metadata: RequestMetadata): boolean | { readonly invalid: string } {
  const value = metadata["rawPayload"];
  switch (value) {
    case undefined:
    case "":
    case "0":
    case "f":
    case "F":
    case "false":
    case "FALSE":
    case "False":
      return false;
    case "1":
    case "t":
    case "T":
    case "true":
    case "TRUE":
    case "True":
      return true;
    default:
      return { invalid: `rawPayload value must be a valid boolean: actual is '${value}'` };
  }
}

/**
 * The message's time to live in milliseconds from `ttl` or `ttlInSeconds` (without case): a Go duration, or whole
 * seconds above zero. Undefined when there is none, and for a value that is neither, which Dapr ignores.
 */
export function ttlMsOf(metadata: RequestMetadata): number | undefined {
  const value = findFolded(metadata, "ttl") ?? findFolded(metadata, "ttlinseconds") ?? "";
  if (value === "") {
    return undefined;
  }
  if (/^[+-]?\d+$/.test(value) && Number(value) !== 0) {
    const seconds = Number(value);
    return seconds > 0 && seconds <= INT64_LIMIT ? Math.min(seconds * 1000, TTL_MS_MAX) : undefined;
  }
  try {
    return Math.max(parseGoDuration(value), 0);
  } catch {
    return undefined;
  }
}

function findFolded(metadata: RequestMetadata, lowerName: string): string | undefined {
  for (const name in metadata) {
    if (name.toLowerCase() === lowerName) {
      return metadata[name];
    }
  }
  return undefined;
}

/** What `cloudevent.*` metadata overrides in the envelope; an empty value overrides nothing. */
export interface EnvelopeOverrides {
  id?: string;
  source?: string;
  type?: string;
  subject?: string;
  traceid?: string;
  traceparent?: string;
  tracestate?: string;
}

const PREFIX = "cloudevent.";
const OVERRIDABLE: ReadonlySet<string> = new Set([
  "id",
  "source",
  "type",
  "subject",
  "traceid",
  "traceparent",
  "tracestate",
]);

/** The overrides of a request; undefined when it has none. A name in exact case wins over one in another. */
export function overridesOf(metadata: RequestMetadata): EnvelopeOverrides | undefined {
  let overrides: Record<string, string> | undefined;
  for (const name in metadata) {
    const lower = name.toLowerCase();
    if (lower.startsWith(PREFIX) && OVERRIDABLE.has(lower.slice(PREFIX.length))) {
      overrides ??= {};
      const attribute = lower.slice(PREFIX.length);
      if (name === lower || overrides[attribute] === undefined) {
        overrides[attribute] = metadata[name] ?? "";
      }
    }
  }
  return overrides;
}
