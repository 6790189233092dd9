import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { expect, test } from "vitest";
import { HTTPExtension_Verb } from "../wire/gen/dapr/proto/common/v1/common_pb.js";
import { InternalInvokeRequestStreamSchema } from "../wire/gen/dapr/proto/internals/v1/service_invocation_pb.js";
import { isPlainlyEncoded } from "../wire/codecs/wire-shape.fixture.ts";
import type { CallerStamps, RequestHead, StreamMessage } from "./messages.ts";
import { requestCodec } from "./request-codec.ts";

const stamps: CallerStamps = {
  callerAppId: "caller",
  callerNamespace: "ns",
  calleeAppId: "callee",
  forwardedFor: "10.0.0.1",
  forwardedHost: "host",
  forwarded: "for=10.0.0.1",
};

const token = fc
  .stringMatching(/^[a-zA-Z][a-zA-Z0-9-]{0,20}$/)
  .filter(
    (name) =>
      !/^(host|trailer|transfer-encoding|content-type|forwarded|x-forwarded-.*|dapr-c.*|destination-app-id)$/i.test(
        name,
      ),
  );
const value = fc.stringMatching(/^[\x20-\x7e]{0,200}$/);
const headerPairs = fc.array(fc.tuple(token, value), { maxLength: 20 });
const bytes = fc.uint8Array({ maxLength: 40_000 });
const text = fc.string({ unit: "grapheme", maxLength: 300 });
const asciiText = fc.stringMatching(/^[\x21-\x7e]{0,200}$/);
const verb = fc.constantFrom(
  "",
  "GET",
  "POST",
  "PUT",
  "DELETE",
  "HEAD",
  "OPTIONS",
  "TRACE",
  "PATCH",
  "CONNECT",
  "NONE",
);

function headOf(pairs: readonly (readonly [string, string])[], more: Partial<RequestHead>): RequestHead {
  return {
    headers: pairs.flat(),
    origin: "http",
    method: "",
    verb: "",
    query: "",
    contentType: "",
    typeUrl: "",
    data: undefined,
    stamps: undefined,
    hasMessage: true,
    hasMetadata: true,
    ...more,
  };
}

function canonical(name: string): string {
  return name
    .toLowerCase()
    .split("-")
    .map((part) => part.charAt(0).toUpperCase() + part.slice(1))
    .join("-");
}

function grouped(
  pairs: readonly (readonly [string, string])[],
  nameOf: (name: string) => string,
): Record<string, string[]> {
  const map: Record<string, string[]> = {};
  for (const [name, one] of pairs) {
    (map[nameOf(name)] ??= []).push(one);
  }
  return map;
}

test("the generated code reads what we write", () => {
  fc.assert(
    fc.property(
      headerPairs,
      text,
      verb,
      asciiText,
      asciiText,
      fc.option(bytes, { nil: undefined }),
      fc.nat(),
      (pairs, method, verbName, query, contentType, payload, seq) => {
        const head = headOf(pairs, { method, verb: verbName, query: verbName === "" ? "" : query, contentType });
        const read = fromBinary(InternalInvokeRequestStreamSchema, requestCodec.encodeStream({ head, payload, seq }));
        expect(read.request?.ver).toBe(1);
        expect(read.request?.message?.method).toBe(method);
        expect(read.request?.message?.contentType).toBe(contentType);
        expect(read.request?.message?.httpExtension?.verb).toBe(
          verbName === "" ? undefined : HTTPExtension_Verb[verbName],
        );
        expect(read.request?.message?.httpExtension?.querystring ?? "").toBe(head.query);
        const written = Object.fromEntries(
          Object.entries(read.request?.metadata ?? {}).map(([name, list]) => [name, list.values]),
        );
        expect(written).toEqual(grouped(pairs, canonical));
        expect(read.payload === undefined ? undefined : Buffer.from(read.payload.data)).toEqual(
          payload === undefined ? undefined : Buffer.from(payload),
        );
        expect(read.payload?.seq).toBe(payload === undefined ? undefined : BigInt(seq));
      },
    ),
  );
});

test("we read what the generated code writes, unknown fields skipped", () => {
  fc.assert(
    fc.property(headerPairs, text, asciiText, bytes, fc.boolean(), (pairs, method, query, data, withMessage) => {
      const metadata = Object.fromEntries(
        Object.entries(grouped(pairs, (name) => name)).map(([name, values]) => [name, { values }]),
      );
      const message = create(InternalInvokeRequestStreamSchema, {
        request: {
          ver: 1,
          metadata,
          actor: { actorType: "t", actorId: "i" },
          ...(withMessage
            ? {
                message: {
                  method,
                  contentType: "a/b",
                  data: { value: data, typeUrl: "u" },
                  httpExtension: { verb: HTTPExtension_Verb.PUT, querystring: query },
                },
              }
            : {}),
        },
        payload: { data, seq: 7n },
      });
      const { head, payload, seq } = requestCodec.decodeStream(toBinary(InternalInvokeRequestStreamSchema, message));
      expect([Buffer.from(payload ?? []), seq]).toEqual([Buffer.from(data), 7]);
      expect(head?.hasMessage).toBe(withMessage);
      expect(head?.hasMetadata).toBe(pairs.length > 0);
      const read: [string, string][] = [];
      for (let index = 0; index < (head?.headers.length ?? 0); index += 2) {
        read.push([head?.headers[index] ?? "", head?.headers[index + 1] ?? ""]);
      }
      expect(grouped(read, (name) => name)).toEqual(grouped(pairs, (name) => name));
      if (withMessage) {
        expect(head).toMatchObject({ method, query, verb: "PUT", contentType: "a/b", typeUrl: "u" });
        expect(Buffer.from(head?.data ?? [])).toEqual(Buffer.from(data));
      }
    }),
  );
});

test("changed bytes are read or refused by what they say alone, and as the generated code where fields have their types", () => {
  const flips = fc.array(fc.tuple(fc.nat({ max: 400 }), fc.integer({ min: 0, max: 255 })), { maxLength: 3 });
  fc.assert(
    fc.property(
      headerPairs,
      text,
      bytes,
      flips,
      fc.integer({ min: 0, max: 255 }),
      (pairs, method, data, changes, filler) => {
        const head = headOf(pairs, { method, verb: "PUT", query: "q=1", contentType: "a/b" });
        const written = Buffer.from(requestCodec.encodeStream({ head, payload: data.subarray(0, 40), seq: 3 }));
        for (const [at, to] of changes) written[at % written.length] = to;
        const around = Buffer.alloc(written.length + 40, filler);
        around.set(written, 20);
        const apart = outcome(written);
        expect(outcome(around.subarray(20, 20 + written.length))).toEqual(apart);
        const generated = isPlainlyEncoded(InternalInvokeRequestStreamSchema, written) ? attempt(written) : undefined;
        if (generated === undefined) return;
        expect(apart).toMatchObject({
          head: {
            method: generated.request?.message?.method ?? "",
            hasMessage: generated.request?.message !== undefined,
          },
          seq: Number(generated.payload?.seq ?? 0n),
        });
      },
    ),
    { numRuns: 300 },
  );
});

function outcome(encoded: Uint8Array): unknown {
  try {
    const { head, payload, seq } = requestCodec.decodeStream(encoded);
    return { head: { method: "", hasMessage: false, ...head }, payload: payload && Buffer.from(payload), seq };
  } catch (error) {
    expect(error).toBeInstanceOf(Error);
    return "refused";
  }
}

function attempt(encoded: Uint8Array) {
  try {
    return fromBinary(InternalInvokeRequestStreamSchema, encoded);
  } catch {
    return undefined;
  }
}

test("any bytes are read or refused with an Error, never worse", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (noise) => {
      try {
        requestCodec.decodeStream(noise);
        requestCodec.decode(noise);
      } catch (error) {
        expect(error).toBeInstanceOf(Error);
      }
    }),
  );
});

test("the caller's identity is ours alone, and forwarding headers grow", () => {
  const pairs = [
    ["Host", "h"],
    ["X-Forwarded-For", "1.1.1.1"],
    ["Dapr-Caller-App-Id", "liar"],
    ["x-a", "1"],
    ["X-A", "2"],
  ] as const;
  const message: StreamMessage<RequestHead> = { head: headOf(pairs, { stamps }), payload: undefined, seq: 0 };
  const { request } = fromBinary(InternalInvokeRequestStreamSchema, requestCodec.encodeStream(message));
  expect(
    Object.fromEntries(Object.entries(request?.metadata ?? {}).map(([name, list]) => [name, list.values])),
  ).toEqual({
    "X-A": ["1", "2"],
    "X-Forwarded-For": ["1.1.1.1", "10.0.0.1"],
    "X-Forwarded-Host": ["host"],
    Forwarded: ["for=10.0.0.1"],
    "destination-app-id": ["callee"],
    "dapr-caller-namespace": ["ns"],
    "dapr-caller-app-id": ["caller"],
    "dapr-callee-app-id": ["callee"],
  });
});

test("header bytes beyond ASCII pass through, and metadata keeps its spelling", () => {
  const raw = Buffer.from("grüße").toString("latin1");
  expect(requestCodec.decode(requestCodec.encode(headOf([["x-u", raw]], {}))).headers).toEqual(["X-U", raw]);
  expect(requestCodec.decode(requestCodec.encode(headOf([["x-u", "\u00e9"]], {}))).headers).toEqual([
    "X-U",
    Buffer.from("\u00e9").toString("latin1"),
  ]);
  const metadata = headOf(
    [
      ["content-type", "application/grpc"],
      ["x-meta", "1"],
    ],
    { origin: "grpc" },
  );
  expect(requestCodec.decode(requestCodec.encode(metadata))).toMatchObject({
    origin: "grpc",
    headers: ["content-type", "application/grpc", "x-meta", "1"],
  });
});
