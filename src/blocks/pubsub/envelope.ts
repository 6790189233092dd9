import { isUtf8 } from "node:buffer";
import { isBinaryContentType, isJsonContentType, isProtobufContentType } from "../../kit/content-type.ts";
import { JsonSyntaxError } from "../../kit/json-lexer.ts";
import { JsonScanner } from "../../kit/json-scanner.ts";
import type { TraceContext } from "../../kit/trace-context.ts";
import type { EnvelopeOverrides } from "./message-metadata.ts";

/** The event type of everything published through the API. */
export const EVENT_TYPE = "com.dapr.event.sent";
export const SPEC_VERSION = "1.0";
const CONTENT_TYPE_DEFAULT = "text/plain";
const SOURCE_DEFAULT = "Dapr";

/** Of events that nobody's trace leads to: empty texts, as Dapr writes them. */
export const NO_TRACE: TraceContext = { traceparent: "", tracestate: "" };

/** What the envelope of a new event is made of. `expiration` and `time` are RFC 3339. */
export interface EnvelopeFacts {
  readonly id: string;
  readonly source: string;
  readonly pubsub: string;
  readonly topic: string;
  readonly contentType: string;
  readonly time: string;
  readonly expiration: string | undefined;
  readonly trace: TraceContext;
  readonly overrides: EnvelopeOverrides | undefined;
}

/**
 * Wraps data into a CloudEvent 1.0 in JSON, attributes in the order Dapr writes them (sorted). JSON data is checked and
 * then embedded as it stands, so numbers keep their precision; JSON content that is none becomes a string, as do all
 * other types except binary ones, which become `data_base64`.
 */
export function newEnvelope(data: Uint8Array, facts: EnvelopeFacts): Buffer {
  const contentType = facts.contentType === "" ? CONTENT_TYPE_DEFAULT : facts.contentType;
  const attributes = attributesOf(facts, contentType);
  if (isJsonContentType(contentType)) {
    const json = embeddableJson(data);
    if (json !== undefined) {
      return embed(json, attributes);
    }
  } else if (isBinaryContentType(contentType) || isProtobufContentType(contentType)) {
    return Buffer.from(`{"data_base64":"${view(data).toString("base64")}"${attributes}`, "utf8");
  }
  return Buffer.from(`{"data":${JSON.stringify(view(data).toString())}${attributes}`, "utf8");
}

/** Everything after the data, closing brace included. */
function attributesOf(facts: EnvelopeFacts, contentType: string): string {
  const overrides = facts.overrides;
  const trace = overrides?.traceparent || overrides?.traceid || facts.trace.traceparent;
  const traceText = JSON.stringify(trace);
  return (
    `,"datacontenttype":${JSON.stringify(contentType)}` +
    (facts.expiration === undefined ? "" : `,"expiration":"${facts.expiration}"`) +
    `,"id":${JSON.stringify(overrides?.id || facts.id)}` +
    `,"pubsubname":${JSON.stringify(facts.pubsub)}` +
    `,"source":${JSON.stringify(overrides?.source || facts.source || SOURCE_DEFAULT)}` +
    `,"specversion":"${SPEC_VERSION}"` +
    (overrides?.subject ? `,"subject":${JSON.stringify(overrides.subject)}` : "") +
    `,"time":"${facts.time}"` +
    `,"topic":${JSON.stringify(facts.topic)}` +
    `,"traceid":${traceText},"traceparent":${traceText}` +
    `,"tracestate":${JSON.stringify(overrides?.tracestate || facts.trace.tracestate)}` +
    `,"type":${JSON.stringify(overrides?.type || EVENT_TYPE)}}`
  );
}

function embed(json: Uint8Array, attributes: string): Buffer {
  const attributeBytes = Buffer.byteLength(attributes);
  const envelope = Buffer.allocUnsafe(PREFIX.length + json.byteLength + attributeBytes);
  envelope.write(PREFIX, 0, "latin1");
  envelope.set(json, PREFIX.length);
  envelope.write(attributes, PREFIX.length + json.byteLength, "utf8");
  return envelope;
}

const PREFIX = '{"data":';

/**
 * The first JSON value in `data`, as UTF-8; undefined when there is none. What follows an object or list is ignored, as
 * Go's decoder does. Broken UTF-8 is replaced, so that the envelope stays JSON.
 */
function embeddableJson(data: Uint8Array): Uint8Array | undefined {
  const json = firstValue(data);
  return json === undefined || isUtf8(json) ? json : Buffer.from(view(json).toString());
}

function firstValue(data: Uint8Array): Uint8Array | undefined {
  try {
    const scanner = new JsonScanner(data);
    const kind = scanner.kind();
    const value = scanner.sliceValue();
    return kind === "object" || kind === "array" || endsCleanly(data, value) ? value : undefined;
  } catch (error) {
    if (error instanceof JsonSyntaxError) {
      return undefined;
    }
    throw error;
  }
}

/** Behind a scalar only space or the end may come. */
function endsCleanly(data: Uint8Array, value: Uint8Array): boolean {
  const next = data[value.byteOffset - data.byteOffset + value.byteLength];
  return next === undefined || next === 0x20 || next === 0x0a || next === 0x0d || next === 0x09;
}

/** What is filled into an event that came as a CloudEvent. */
export interface ExistingEventFacts {
  readonly pubsub: string;
  readonly topic: string;
  readonly time: string;
  readonly expiration: string | undefined;
  readonly trace: TraceContext;
}

/** The content said CloudEvent and is none. */
export class NotACloudEventError extends Error {
  override readonly name = "NotACloudEventError";
}

/**
 * Completes an event that the app wrapped itself: `topic` and `pubsubname` are ours, `time`, trace attributes, `source`,
 * `type` and `specversion` only where missing. All other members pass through as they stand.
 * @throws NotACloudEventError when the data holds no JSON object
 */
export function completeEnvelope(data: Uint8Array, facts: ExistingEventFacts): Buffer {
  const members = readMembers(data);
  fillAbsent(members, "time", facts.time);
  if (!members.has("traceid")) {
    members.set("traceid", JSON.stringify(facts.trace.traceparent));
    members.set("traceparent", JSON.stringify(facts.trace.traceparent));
  }
  fillAbsent(members, "tracestate", facts.trace.tracestate);
  members.set("topic", JSON.stringify(facts.topic));
  members.set("pubsubname", JSON.stringify(facts.pubsub));
  fillNull(members, "source", SOURCE_DEFAULT);
  fillNull(members, "type", EVENT_TYPE);
  fillNull(members, "specversion", SPEC_VERSION);
  if (facts.expiration !== undefined) {
    members.set("expiration", JSON.stringify(facts.expiration));
  }
  const parts: string[] = [];
  for (const name of [...members.keys()].sort()) {
    parts.push(`${JSON.stringify(name)}:${members.get(name)}`);
  }
  return Buffer.from(`{${parts.join(",")}}`);
}

/** The members of the object in `data` as JSON text; what is none is refused in the words of Go's decoder. */
function readMembers(data: Uint8Array): Map<string, string> {
  const members = new Map<string, string>();
  try {
    const scanner = new JsonScanner(data);
    const kind = scanner.kind();
    if (kind !== "object") {
      scanner.skip();
      throw new NotACloudEventError(`json: cannot unmarshal ${kind} into Go value of type map[string]interface {}`);
    }
    if (scanner.openObject()) {
      do {
        members.set(scanner.memberName(), view(scanner.sliceValue()).toString());
      } while (scanner.nextMember());
    }
  } catch (error) {
    if (error instanceof JsonSyntaxError) {
      throw new NotACloudEventError(error.message, { cause: error });
    }
    throw error;
  }
  return members;
}

function fillAbsent(members: Map<string, string>, name: string, value: string): void {
  if (!members.has(name)) {
    members.set(name, JSON.stringify(value));
  }
}

function fillNull(members: Map<string, string>, name: string, value: string): void {
  if ((members.get(name) ?? "null") === "null") {
    members.set(name, JSON.stringify(value));
  }
}

/** The event made of a broker's bare bytes for a subscription with raw payloads. */
export function rawEnvelope(
  data: Uint8Array,
  facts: { readonly id: string; readonly topic: string; readonly pubsub: string },
  trace: { traceid?: string; traceparent?: string; tracestate?: string },
): Record<string, string> {
  return {
    data_base64: view(data).toString("base64"),
    datacontenttype: "application/octet-stream",
    id: facts.id,
    pubsubname: facts.pubsub,
    source: SOURCE_DEFAULT,
    specversion: SPEC_VERSION,
    topic: facts.topic,
    ...trace,
    type: EVENT_TYPE,
  };
}

function view(data: Uint8Array): Buffer {
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength);
}
