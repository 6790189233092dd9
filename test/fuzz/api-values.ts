import type { DescField, DescMessage, Message } from "@bufbuild/protobuf";
import { create, ScalarType } from "@bufbuild/protobuf";
import fc from "fast-check";

/** Names that mean something to the sidecar under test, among many that do not. */
const KNOWN = [
  "store", "broker", "locks", "secrets", "settings", "vault", "echo", "file", "orders", "key-1", "key-2", "me", "you",
  "partner", "upsert", "delete", "create", "get", "list", "first-write", "last-write", "strong", "eventual", "owner",
  "1", "0", "true", "application/json", "application/cloudevents+json", "application/octet-stream", "text/plain", "A256KW",
  "RSA", "aes-gcm", "rawPayload", "ttlInSeconds", "contentType", "cloudevent.id", "partitionKey", "EQ", "AND", "null",
] as const; // prettier-ignore

/** What breaks parsers. */
const NASTY = [
  "", ".", "..", "/", "//", "../..", "%", "%2e%2e", "%2F", "%00", "\0", "||", "a||b", "#", "?", "&", "\\", '"', "'", "\r\n",
  "\u2028", "😀", "\ud800", "é", "constructor", "__proto__", "toString", "-1", "1e309", "NaN", "9007199254740993",
  "2026-11-22T00:00:00Z", "R5/PT10S", "x".repeat(5_000), "{}", "[", "event.type ==", "*", "%20", "$(x)", "{{x}}",
] as const; // prettier-ignore

export const word = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...KNOWN) },
  { weight: 3, arbitrary: fc.constantFrom(...NASTY) },
  { weight: 1, arbitrary: fc.string({ maxLength: 40 }) },
  { weight: 1, arbitrary: fc.string({ unit: "binary", maxLength: 12 }) },
);

/** Names of fields in the bodies of the HTTP API. */
const FIELDS = [
  "key", "value", "etag", "metadata", "options", "concurrency", "consistency", "operations", "operation", "request",
  "keys", "parallelism", "entryId", "event", "contentType", "resourceId", "lockOwner", "expiryInSeconds", "data",
  "inputs", "messages", "content", "text", "scrubPii", "tools", "toolChoice", "filter", "sort", "page", "limit", "token",
  "EQ", "AND", "IN", "specversion", "id", "source", "type", "datacontenttype", "data_base64", "time", "expiration",
  "traceparent", "topic", "pubsubname", "ofUser", "name", "__proto__", "keyName", "algorithm", "plaintext", "digest",
] as const; // prettier-ignore

const field = fc.oneof(
  { weight: 9, arbitrary: fc.constantFrom(...FIELDS) },
  { weight: 1, arbitrary: fc.string({ maxLength: 8 }) },
);

const leaf = fc.oneof(
  word,
  fc.constantFrom<unknown>(null, true, false, 0, -1, 1, 2 ** 31, 2 ** 53, 1e300, 0.1),
  fc.integer(),
);

/** JSON values in the words of the API. */
export const { value: jsonValue } = fc.letrec<{ readonly value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 6, depthSize: "medium" },
    leaf,
    fc.array(tie("value"), { maxLength: 4 }),
    fc.uniqueArray(fc.tuple(field, tie("value")), { maxLength: 5, selector: ([name]) => name }).map((entries) => {
      // A plain object would take `__proto__` for something else.
      const object = Object.create(null) as Record<string, unknown>;
      for (const [name, value] of entries) object[name] = value;
      return object;
    }),
  ),
}));

/** Replaces, drops and adds something in a valid body here and there. */
export function mutatedJson(valid: unknown): fc.Arbitrary<unknown> {
  if (Array.isArray(valid)) {
    return fc.tuple(...valid.map((each) => maybe(each))).map((items) => items.filter((item) => item !== DROPPED));
  }
  if (typeof valid === "object" && valid !== null) {
    const entries = Object.entries(valid);
    return fc
      .tuple(fc.tuple(...entries.map(([, value]) => maybe(value))), fc.option(fc.tuple(field, jsonValue), { freq: 8 }))
      .map(([values, added]) => {
        const object = Object.fromEntries(
          entries.map(([name], index) => [name, values[index]]).filter(([, value]) => value !== DROPPED),
        ) as Record<string, unknown>;
        return added === null ? object : { ...object, [added[0]]: added[1] };
      });
  }
  return fc.constant(valid);
}

const DROPPED = Symbol("dropped");

function maybe(valid: unknown): fc.Arbitrary<unknown> {
  return fc.oneof(
    { weight: 8, arbitrary: mutatedJson(valid) },
    { weight: 1, arbitrary: jsonValue },
    { weight: 1, arbitrary: fc.constant(DROPPED) },
  );
}

/** Any message of a type, each field left out or filled. */
export function anyMessage(schema: DescMessage, depth = 3): fc.Arbitrary<Message> {
  const fields = schema.fields.map((each) =>
    fc.option(fc.tuple(fc.constant(each), fieldValue(each, depth)), { freq: 3 }),
  );
  return fc.tuple(...fields).map((chosen) => {
    const init: Record<string, unknown> = {};
    for (const one of chosen) {
      if (one === null) continue;
      const [desc, value] = one;
      if (desc.oneof === undefined) init[desc.localName] = value;
      else init[desc.oneof.localName] = { case: desc.localName, value };
    }
    return create(schema, init);
  });
}

/** What fields that name a component mostly hold, by the field's name. */
const COMPONENT_FIELDS: Readonly<Record<string, readonly string[]>> = {
  storeName: ["store", "settings", "encrypted", "secrets", "values", "locks"],
  pubsubName: ["broker"],
  componentName: ["vault"],
  name: ["echo", "file"],
  id: ["me"],
  keyName: ["RSA", "key-1"],
  topic: ["orders", "key-1"],
};

function fieldValue(desc: DescField, depth: number): fc.Arbitrary<unknown> {
  const names = COMPONENT_FIELDS[desc.localName];
  switch (desc.fieldKind) {
    case "scalar":
      return names !== undefined && desc.scalar === ScalarType.STRING
        ? fc.oneof({ weight: 5, arbitrary: fc.constantFrom(...names) }, { weight: 1, arbitrary: scalar(desc.scalar) })
        : scalar(desc.scalar);
    case "enum":
      return fc.oneof(
        fc.constantFrom(...desc.enum.values.map(({ number }) => number)),
        fc.integer({ min: -5, max: 99 }),
      );
    case "message":
      return depth === 0 ? fc.constant(create(desc.message)) : anyMessage(desc.message, depth - 1);
    case "list":
      return fc.array(
        desc.listKind === "scalar"
          ? scalar(desc.scalar)
          : desc.listKind === "enum"
            ? fc.integer({ min: 0, max: 9 })
            : depth === 0
              ? fc.constant(create(desc.message))
              : anyMessage(desc.message, depth - 1),
        { maxLength: 3 },
      );
    case "map":
      return fc.dictionary(
        word,
        desc.mapKind === "scalar"
          ? scalar(desc.scalar)
          : desc.mapKind === "enum"
            ? fc.integer({ min: 0, max: 9 })
            : depth === 0
              ? fc.constant(create(desc.message))
              : anyMessage(desc.message, depth - 1),
        { maxKeys: 3, noNullPrototype: true },
      );
  }
}

/** Strings are well-formed here: protobuf has no others. */
function scalar(type: ScalarType): fc.Arbitrary<unknown> {
  switch (type) {
    case ScalarType.STRING:
      return word.map((text) => text.toWellFormed());
    case ScalarType.BYTES:
      return fc.oneof(
        fc.uint8Array({ maxLength: 64 }),
        jsonValue.map((value) => new Uint8Array(Buffer.from(JSON.stringify(value) ?? ""))),
      );
    case ScalarType.BOOL:
      return fc.boolean();
    case ScalarType.DOUBLE:
    case ScalarType.FLOAT:
      return fc.float();
    case ScalarType.INT64:
    case ScalarType.SINT64:
    case ScalarType.SFIXED64:
      return fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
    case ScalarType.UINT64:
    case ScalarType.FIXED64:
      return fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
    case ScalarType.UINT32:
    case ScalarType.FIXED32:
      return fc.integer({ min: 0, max: 2 ** 32 - 1 });
    default:
      return fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
  }
}
