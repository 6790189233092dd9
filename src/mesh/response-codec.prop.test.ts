import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import fc from "fast-check";
import { expect, test } from "vitest";
import { InternalInvokeResponseStreamSchema } from "../wire/gen/dapr/proto/internals/v1/service_invocation_pb.js";
import { ErrorInfoSchema } from "../wire/gen/google/rpc/error_details_pb.js";
import { StatusSchema } from "../wire/gen/google/rpc/status_pb.js";
import type { ResponseHead } from "./messages.ts";
import { responseCodec } from "./response-codec.ts";

const empty: ResponseHead = {
  status: undefined,
  headers: [],
  trailers: [],
  contentType: "",
  typeUrl: "",
  data: undefined,
  hasMessage: true,
};
const bytes = fc.uint8Array({ maxLength: 40_000 });
const asciiText = fc.stringMatching(/^[\x21-\x7e]{0,200}$/);

test("the generated code reads what we write", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 100, max: 599 }),
      asciiText,
      fc.option(bytes, { nil: undefined }),
      fc.nat(),
      (code, contentType, payload, seq) => {
        const head = {
          ...empty,
          status: { code, message: "", detailsBin: undefined },
          headers: ["x-a", "1", "X-A", contentType],
          contentType,
        };
        const read = fromBinary(InternalInvokeResponseStreamSchema, responseCodec.encodeStream({ head, payload, seq }));
        expect(read.response?.status?.code).toBe(code);
        expect(read.response?.headers["X-A"]?.values).toEqual(["1", contentType]);
        expect(read.response?.message?.contentType).toBe(contentType);
        expect(read.payload === undefined ? undefined : Buffer.from(read.payload.data)).toEqual(
          payload === undefined ? undefined : Buffer.from(payload),
        );
        expect(read.payload?.seq).toBe(payload === undefined ? undefined : BigInt(seq));
      },
    ),
  );
});

test("we read what the generated code writes", () => {
  fc.assert(
    fc.property(fc.nat({ max: 599 }), fc.string(), asciiText, bytes, (code, message, contentType, data) => {
      const written = create(InternalInvokeResponseStreamSchema, {
        response: {
          status: { code, message },
          headers: { "X-B": { values: ["1", "2"] } },
          trailers: { t: { values: ["3"] } },
          message: { contentType, data: { value: data, typeUrl: "u" } },
        },
        payload: { data, seq: 1n },
      });
      const { head, payload, seq } = responseCodec.decodeStream(toBinary(InternalInvokeResponseStreamSchema, written));
      expect(head).toMatchObject({
        status: { code, message },
        headers: ["X-B", "1", "X-B", "2"],
        trailers: ["t", "3"],
        contentType,
        typeUrl: "u",
      });
      expect(Buffer.from(head?.data ?? [])).toEqual(Buffer.from(data));
      expect([Buffer.from(payload ?? []), seq]).toEqual([Buffer.from(data), 1]);
    }),
  );
});

test("an OK status is written although it is all zero, and a status keeps its details", () => {
  const ok = fromBinary(
    InternalInvokeResponseStreamSchema,
    responseCodec.encodeStream({
      head: { ...empty, status: { code: 0, message: "", detailsBin: undefined } },
      payload: undefined,
      seq: 0,
    }),
  );
  expect(ok.response?.status).toBeDefined();
  const info = anyPack(ErrorInfoSchema, create(ErrorInfoSchema, { reason: "R" }));
  const detailsBin = toBinary(StatusSchema, create(StatusSchema, { code: 5, message: "gone", details: [info] }));
  const read = responseCodec.decode(
    responseCodec.encode({ ...empty, status: { code: 5, message: "gone", detailsBin } }),
  );
  expect(read.status).toMatchObject({ code: 5, message: "gone" });
  expect(Buffer.from(read.status?.detailsBin ?? [])).toEqual(Buffer.from(detailsBin));
});

test("any bytes are read or refused with an Error, never worse", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (noise) => {
      try {
        responseCodec.decodeStream(noise);
      } catch (error) {
        expect(error).toBeInstanceOf(Error);
      }
    }),
  );
});
