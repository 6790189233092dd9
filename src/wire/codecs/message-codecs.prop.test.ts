import { create, type DescMessage, fromBinary, type Message, toBinary } from "@bufbuild/protobuf";
import { EmptySchema } from "@bufbuild/protobuf/wkt";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { InvokeRequestSchema, InvokeResponseSchema } from "../gen/dapr/proto/common/v1/common_pb.js";
import { TopicEventRequestSchema, TopicEventResponseSchema } from "../gen/dapr/proto/runtime/v1/appcallback_pb.js";
import { InvokeServiceRequestSchema } from "../gen/dapr/proto/runtime/v1/invoke_pb.js";
import { PublishEventRequestSchema } from "../gen/dapr/proto/runtime/v1/pubsub_pb.js";
import {
  GetStateRequestSchema,
  GetStateResponseSchema,
  SaveStateRequestSchema,
} from "../gen/dapr/proto/runtime/v1/state_pb.js";
import { StoredCounterSchema, StoredJobSchema } from "../gen/cron/stored_pb.js";
import {
  JobMetadataSchema,
  ScheduleJobRequestSchema,
  ScheduleJobResponseSchema,
  WatchJobsRequestSchema,
  WatchJobsResponseSchema,
} from "../gen/dapr/proto/scheduler/v1/scheduler_pb.js";
import { decodeJobMetadata, encodeJobMetadata } from "./job-parts.ts";
import { decodeStoredCounter, decodeStoredJob, encodeStoredCounter, encodeStoredJob } from "./stored-job-codecs.ts";
import { isPlainlyEncoded } from "./wire-shape.fixture.ts";
import { messageCodecs } from "./message-codecs.ts";

const text = fc.oneof(fc.string({ maxLength: 40 }), fc.string({ unit: "grapheme", maxLength: 60 }));
const name = fc.oneof(text, fc.constantFrom("__proto__", "constructor", ""));
const bytes = fc.oneof(fc.uint8Array({ maxLength: 60 }), fc.uint8Array({ minLength: 120, maxLength: 20_000 }));
const metadata = fc
  .array(fc.tuple(name, text), { maxLength: 5 })
  .map((entries) => Object.fromEntries(entries) as Record<string, string>);
const number = fc.oneof(fc.integer({ min: 0, max: 3 }), fc.integer());
const optional = <T>(of: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(of, { nil: undefined });
const any = fc.record({ typeUrl: text, value: bytes });
const invokeRequest = fc.record({
  method: text,
  data: optional(any),
  contentType: text,
  httpExtension: optional(fc.record({ verb: number, querystring: text })),
});
const json = fc.jsonValue({ maxDepth: 4 });

const uint64 = fc.oneof(fc.bigInt({ min: 0n, max: 300n }), fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }));
const uint32 = fc.oneof(fc.nat({ max: 3 }), fc.integer({ min: 0, max: 0xffffffff }));
const time = fc.oneof(
  { weight: 5, arbitrary: fc.record({ seconds: fc.bigInt({ min: 0n, max: 2n ** 40n }), nanos: fc.nat() }) },
  fc.record({ seconds: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), nanos: number }),
);
const policy = fc.record({
  policy: fc.oneof(
    fc.constant({ case: undefined }),
    fc.constant({ case: "drop", value: {} }),
    fc.record({
      case: fc.constant("constant"),
      value: fc.record({ interval: optional(time), maxRetries: optional(uint32) }),
    }),
  ),
});
const jobMetadata = fc.record({
  appId: text,
  namespace: text,
  target: optional(
    fc.record({
      type: fc.oneof(
        fc.constant({ case: undefined }),
        fc.constant({ case: "job", value: {} }),
        fc.record({ case: fc.constant("actor"), value: fc.record({ id: text, type: text }) }),
      ),
    }),
  ),
  concurrencyKey: optional(text),
});
const texts = { schedule: optional(text), dueTime: optional(text), ttl: optional(text), repeats: optional(uint32) };
const initial = fc.record({
  appId: text,
  namespace: text,
  actorTypes: fc.array(text, { maxLength: 4 }),
  acceptJobTypes: fc.array(number, { maxLength: 4 }),
  concurrencyLimits: fc.array(
    fc.record({
      maxConcurrent: number,
      name: optional(text),
      target: fc.oneof(
        fc.constant({ case: undefined }),
        fc.record({ case: fc.constant("actor"), value: fc.record({ type: text }) }),
      ),
    }),
    { maxLength: 3 },
  ),
});

/** Messages that are stored, and read and written without a connection. */
const STORED: readonly (readonly [DescMessage, fc.Arbitrary<Record<string, unknown>>, Codec])[] = [
  [
    StoredJobSchema,
    fc.record({
      partitionId: uint64,
      begin: fc.oneof(
        fc.constant({ case: undefined }),
        fc.record({ case: fc.constantFrom("start", "dueTime"), value: time }),
      ),
      expiration: optional(time),
      job: optional(
        fc.record({ ...texts, metadata: optional(any), payload: optional(any), failurePolicy: optional(policy) }),
      ),
    }),
    storedCodec(decodeStoredJob, encodeStoredJob),
  ],
  [
    StoredCounterSchema,
    fc.record({ jobPartitionId: uint64, count: uint32, lastTrigger: optional(time), attempts: uint32 }),
    storedCodec(decodeStoredCounter, encodeStoredCounter),
  ],
  [JobMetadataSchema, jobMetadata, storedCodec(decodeJobMetadata, encodeJobMetadata)],
];

/** Every message that has a codec, and how one is made up. */
const CASES: readonly (readonly [DescMessage, fc.Arbitrary<Record<string, unknown>>])[] = [
  [EmptySchema, fc.constant({})],
  [GetStateRequestSchema, fc.record({ storeName: text, key: text, consistency: number, metadata })],
  [GetStateResponseSchema, fc.record({ data: bytes, etag: text, metadata })],
  [
    SaveStateRequestSchema,
    fc.record({
      storeName: text,
      states: fc.array(
        fc.record({
          key: text,
          value: bytes,
          etag: optional(fc.record({ value: text })),
          metadata,
          options: optional(fc.record({ concurrency: number, consistency: number })),
        }),
        { maxLength: 4 },
      ),
    }),
  ],
  [
    PublishEventRequestSchema,
    fc.record({ pubsubName: text, topic: text, data: bytes, dataContentType: text, metadata }),
  ],
  [InvokeServiceRequestSchema, fc.record({ id: text, message: optional(invokeRequest) })],
  [InvokeRequestSchema, invokeRequest],
  [InvokeResponseSchema, fc.record({ data: optional(any), contentType: text })],
  [
    TopicEventRequestSchema,
    fc.record({
      id: text,
      source: text,
      type: text,
      specVersion: text,
      dataContentType: text,
      topic: text,
      data: bytes,
      pubsubName: text,
      path: text,
      extensions: optional(fc.dictionary(text, json, { maxKeys: 4 })),
    }),
  ],
  [TopicEventResponseSchema, fc.record({ status: number })],
  [
    ScheduleJobRequestSchema,
    fc.record({
      name: text,
      job: optional(fc.record({ ...texts, data: optional(any), failurePolicy: optional(policy) })),
      metadata: optional(jobMetadata),
      overwrite: fc.boolean(),
    }),
  ],
  [ScheduleJobResponseSchema, fc.constant({})],
  [
    WatchJobsRequestSchema,
    fc.record({
      watchJobRequestType: fc.oneof(
        fc.constant({ case: undefined }),
        fc.record({ case: fc.constant("initial"), value: initial }),
        fc.record({ case: fc.constant("result"), value: fc.record({ id: uint64, status: number }) }),
      ),
    }),
  ],
  [
    WatchJobsResponseSchema,
    fc.record({ name: text, id: uint64, data: optional(any), metadata: optional(jobMetadata) }),
  ],
];

interface Codec {
  readonly decode?: (bytes: Uint8Array) => Message;
  readonly encode?: (message: Message) => Uint8Array;
}

function storedCodec<T>(decode: (bytes: Uint8Array) => T, encode: (message: T) => Uint8Array): Codec {
  return { decode, encode } as unknown as Codec;
}

function codecOf(schema: DescMessage): Codec {
  return (messageCodecs.get(schema.typeName) ?? {}) as unknown as Codec;
}

/** Without what this codec drops on purpose, and with bytes that compare by what they hold. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString("hex");
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null) return value;
  return Object.entries(value)
    .filter(([key, one]) => key !== "$unknown" && one !== undefined)
    .map(([key, one]) => [key, plain(one)])
    .sort(([a], [b]) => (String(a) < String(b) ? -1 : 1));
}

/** The result of a decoder, or "refused". Whatever it throws must be an Error. */
function outcome(decode: () => unknown): unknown {
  try {
    return plain(decode());
  } catch (error) {
    expect(error).toBeInstanceOf(Error);
    return "refused";
  }
}

/** Pieces of encoded messages in disorder, with bytes of them changed. */
function mutations(valid: fc.Arbitrary<Uint8Array>): fc.Arbitrary<Uint8Array> {
  const flip = fc.record({ at: fc.nat({ max: 300 }), to: fc.integer({ min: 0, max: 255 }) });
  return fc
    .tuple(valid, valid, fc.array(flip, { maxLength: 3 }), fc.nat({ max: 400 }), fc.constantFrom("cut", "join", "mix"))
    .map(([one, other, flips, at, how]) => {
      const cut = at % (one.length + 1);
      const made =
        how === "cut"
          ? Buffer.from(one.subarray(0, cut))
          : Buffer.concat(how === "join" ? [one, other] : [one.subarray(0, cut), other, one.subarray(cut)]);
      for (const { at: place, to } of flips) if (made.length > 0) made[place % made.length] = to;
      return made;
    });
}

test("every codec is among the cases", () => {
  expect(CASES.map(([schema]) => schema.typeName).sort()).toEqual([...messageCodecs.keys()].sort());
});

const ALL = [...CASES.map(([schema, made]) => [schema, made, codecOf(schema)] as const), ...STORED];

describe.each(ALL.map((one) => [one[0].typeName, ...one] as const))("%s", (_name, schema, made, { decode, encode }) => {
  const message = made.map((fields) => create(schema, fields));
  const encoded = message.map((one) => toBinary(schema, one));

  if (encode !== undefined) {
    test("what is written is what protobuf-es reads", () => {
      fc.assert(
        fc.property(message, (one) => {
          const written = encode(one);
          expect(plain(fromBinary(schema, written))).toEqual(plain(fromBinary(schema, toBinary(schema, one))));
        }),
      );
    });
  }

  if (decode !== undefined) {
    test("what protobuf-es writes is read as it reads it", () => {
      fc.assert(
        fc.property(encoded, (written) => {
          expect(plain(decode(written))).toEqual(plain(fromBinary(schema, written)));
        }),
      );
    });

    test("mutated bytes are refused or read alike where fields have their types", () => {
      let alike = 0;
      fc.assert(
        fc.property(mutations(encoded), (mutated) => {
          const ours = outcome(() => decode(mutated));
          if (!isPlainlyEncoded(schema, mutated)) return;
          alike += 1;
          expect(ours).toEqual(outcome(() => fromBinary(schema, mutated)));
        }),
        { numRuns: 400 },
      );
      expect(alike).toBeGreaterThan(20);
    });

    test("nothing beyond the given bytes is read", () => {
      fc.assert(
        fc.property(mutations(encoded), fc.integer({ min: 0, max: 255 }), (mutated, filler) => {
          const apart = new Uint8Array(mutated);
          const within = new Uint8Array(mutated.length + 64).fill(filler);
          within.set(mutated, 32);
          const view = within.subarray(32, 32 + mutated.length);
          expect(outcome(() => decode(view))).toEqual(outcome(() => decode(apart)));
        }),
      );
    });
  }
});

describe("bytes that protobuf-es misreads", () => {
  const decode = codecOf(GetStateRequestSchema).decode as (bytes: Uint8Array) => object;

  test("a field of another wire type is an unknown one", () => {
    expect(decode(Buffer.from("0807" + "120161", "hex"))).toMatchObject({ storeName: "", key: "a" });
  });

  test("groups are passed over, to a depth", () => {
    expect(decode(Buffer.from("4b080f4c" + "120161", "hex"))).toMatchObject({ key: "a" });
    expect(() => decode(Buffer.from("4b080f54", "hex"))).toThrow("mismatching end group marker");
    expect(() => decode(Buffer.alloc(200, 0x4b))).toThrow("exceeded max recursion depth");
    expect(() => decode(Buffer.from("4c", "hex"))).toThrow("reserved wire type 4");
  });

  test("an entry that runs beyond its map field is refused", () => {
    expect(() => decode(Buffer.from("2202" + "0a0161", "hex"))).toThrow("unexpected EOF");
  });

  test("numbers and lengths have an end", () => {
    expect(() => decode(Buffer.from("18ffffffffffffffffffff01", "hex"))).toThrow("overflow");
    expect(() => decode(Buffer.from("0affffffffffffffff7f", "hex"))).toThrow("unexpected EOF");
    expect(() => decode(Buffer.from("00", "hex"))).toThrow("invalid field number");
    expect(() => decode(Buffer.from("ffffffffff01", "hex"))).toThrow("invalid field number");
  });

  test("text must be UTF-8", () => {
    expect(() => decode(Buffer.from("0a02c328", "hex"))).toThrow("invalid UTF-8");
    expect(() => decode(Buffer.from("0a0a61616161616161" + "6161c3", "hex"))).toThrow("invalid UTF-8");
  });
});

test("extensions that are no JSON, or nested without bound, are refused", () => {
  const encode = codecOf(TopicEventRequestSchema).encode as (message: Message) => Uint8Array;
  const event = (extensions: object): Message => ({
    ...create(TopicEventRequestSchema),
    ...({ extensions } as object),
  });
  expect(() => encode(event({ a: Number.NaN }))).toThrow("an extension is NaN");
  let nested: unknown = 1;
  for (let depth = 0; depth < 150; depth += 1) nested = depth % 2 === 0 ? [nested] : { nested };
  expect(() => encode(event({ nested }))).toThrow("nested more than 100 levels");
});
