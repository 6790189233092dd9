import { create } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import {
  BindingEventResponse_BindingEventConcurrency,
  BindingEventResponseSchema,
} from "../wire/gen/dapr/proto/runtime/v1/appcallback_pb.js";
import { grpcBindingReply, httpBindingReply } from "./binding-reply.ts";

const read = (text: string) => httpBindingReply(Buffer.from(text));
const textOf = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString();

describe("httpBindingReply", () => {
  it.each([
    "",
    "ok",
    "[1]",
    '"text"',
    '{"to":',
    "{]",
    '{"status":"SUCCESS"}',
    '{"to":"one","state":1,"storeName":2}',
    '{"state":[1]}',
  ])("finds no direction in %s", (text) => {
    const reply = read(text);
    expect(textOf(reply.body)).toBe(text);
    expect([reply.to, reply.states, reply.storeName, reply.parallel]).toEqual([[], [], "", false]);
  });

  it("reads where the data goes, and leaves its bytes alone", () => {
    const reply = read('{"To":["one","two"],"data":{"n": 12345678901234567890},"concurrency":"parallel"}');
    expect(reply).toMatchObject({ to: ["one", "two"], parallel: true });
    expect(textOf(reply.data)).toBe('{"n": 12345678901234567890}');
    expect(textOf(read('{"to":["one"]}').data)).toBe("null");
  });

  it("reads the state to save", () => {
    const item =
      '{"key":"k","value":{"a":1},"etag":"7","metadata":{"ttlInSeconds":"5"},"options":{"concurrency":"first-write","consistency":"strong"}}';
    const { storeName, states } = read(`{"storeName":"store","state":[${item},{"key":"plain","value":"x"}]}`);
    expect(storeName).toBe("store");
    expect(states.map(({ value, ...rest }) => ({ ...rest, value: textOf(value) }))).toEqual([
      {
        key: "k",
        value: '{"a":1}',
        valueIsJson: true,
        etag: "7",
        metadata: { ttlInSeconds: "5" },
        concurrency: "first-write",
        consistency: "strong",
      },
      {
        key: "plain",
        value: '"x"',
        valueIsJson: true,
        etag: undefined,
        metadata: {},
        concurrency: "",
        consistency: "",
      },
    ]);
  });
});

describe("grpcBindingReply", () => {
  it("takes everything over", () => {
    const reply = grpcBindingReply(
      create(BindingEventResponseSchema, {
        storeName: "store",
        states: [
          { key: "k", value: Buffer.from("v"), etag: { value: "7" }, options: { concurrency: 2, consistency: 1 } },
        ],
        to: ["one"],
        data: Buffer.from("d"),
        concurrency: BindingEventResponse_BindingEventConcurrency.PARALLEL,
      }),
    );
    expect(reply).toMatchObject({ storeName: "store", to: ["one"], parallel: true });
    expect([textOf(reply.data), textOf(reply.body)]).toEqual(["d", "d"]);
    expect(reply.states).toEqual([
      {
        key: "k",
        value: Buffer.from("v"),
        valueIsJson: false,
        etag: "7",
        metadata: {},
        concurrency: "last-write",
        consistency: "eventual",
      },
    ]);
  });
});
