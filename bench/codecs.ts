// The codecs of the hottest messages beside protobuf-es. Usage: node bench/codecs.ts
import { create, type DescMessage, fromBinary, type Message, toBinary } from "@bufbuild/protobuf";
import { messageCodecs } from "../src/wire/codecs/message-codecs.ts";
import { InvokeRequestSchema, InvokeResponseSchema } from "../src/wire/gen/dapr/proto/common/v1/common_pb.js";
import {
  TopicEventRequestSchema,
  TopicEventResponseSchema,
} from "../src/wire/gen/dapr/proto/runtime/v1/appcallback_pb.js";
import { InvokeServiceRequestSchema } from "../src/wire/gen/dapr/proto/runtime/v1/invoke_pb.js";
import { PublishEventRequestSchema } from "../src/wire/gen/dapr/proto/runtime/v1/pubsub_pb.js";
import {
  GetStateRequestSchema,
  GetStateResponseSchema,
  SaveStateRequestSchema,
} from "../src/wire/gen/dapr/proto/runtime/v1/state_pb.js";

const CALLS = 200_000;
const ROUNDS = 5;

const value = Buffer.alloc(1024, 0x78);
const data = { value, typeUrl: "" };
const contentType = "application/json";
const metadata = { ttlInSeconds: "60" };

const MESSAGES: readonly Message[] = [
  create(GetStateRequestSchema, { storeName: "store", key: "order-1" }),
  create(GetStateResponseSchema, { data: value, etag: "1" }),
  create(SaveStateRequestSchema, { storeName: "store", states: [{ key: "order-1", value, metadata }] }),
  create(PublishEventRequestSchema, {
    pubsubName: "broker",
    topic: "orders",
    data: value,
    dataContentType: contentType,
  }),
  create(InvokeServiceRequestSchema, { id: "callee", message: { method: "echo", contentType, data } }),
  create(InvokeRequestSchema, { method: "echo", contentType, data, httpExtension: { verb: 3, querystring: "" } }),
  create(InvokeResponseSchema, { data, contentType }),
  create(TopicEventRequestSchema, {
    id: "5929aaac-a5e2-4ca1-859c-edfe73f11565",
    source: "checkout",
    type: "com.dapr.event.sent",
    specVersion: "1.0",
    dataContentType: contentType,
    topic: "orders",
    data: value,
    pubsubName: "broker",
    path: "orders",
    extensions: { traceparent: "00-113ad9c4e42b27583ae98ba698d54255-e3743e35ff56f219-01", pubsubname: "broker" },
  }),
  create(TopicEventResponseSchema, { status: 1 }),
];

const SCHEMAS: readonly DescMessage[] = [
  GetStateRequestSchema,
  GetStateResponseSchema,
  SaveStateRequestSchema,
  PublishEventRequestSchema,
  InvokeServiceRequestSchema,
  InvokeRequestSchema,
  InvokeResponseSchema,
  TopicEventRequestSchema,
  TopicEventResponseSchema,
];

interface Codec {
  readonly decode?: (bytes: Uint8Array) => Message;
  readonly encode?: (message: Message) => Uint8Array;
}

/** The best round's nanoseconds for one call. */
function measure(call: () => unknown): number {
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round += 1) {
    const startMs = performance.now();
    for (let i = 0; i < CALLS; i += 1) kept = call();
    best = Math.min(best, ((performance.now() - startMs) * 1e6) / CALLS);
  }
  return best;
}

let kept: unknown;

function show(name: string, ours: () => unknown, theirs: () => unknown): void {
  const [own, es] = [measure(ours), measure(theirs)];
  console.log(`${name.padEnd(36)} ${own.toFixed(0).padStart(6)} ns  protobuf-es ${es.toFixed(0).padStart(6)} ns`);
}

for (const message of MESSAGES) {
  const schema = SCHEMAS.find(({ typeName }) => typeName === message.$typeName) as DescMessage;
  const { decode, encode } = messageCodecs.get(schema.typeName) as unknown as Codec;
  const bytes = Buffer.from(toBinary(schema, message));
  const name = schema.name;
  if (decode !== undefined)
    show(
      `decode ${name}`,
      () => decode(bytes),
      () => fromBinary(schema, bytes),
    );
  if (encode !== undefined)
    show(
      `encode ${name}`,
      () => encode(message),
      () => toBinary(schema, message),
    );
}
if (kept === undefined) console.log("nothing was measured");
