import { create, fromBinary } from "@bufbuild/protobuf";
import { anyUnpack } from "@bufbuild/protobuf/wkt";
import { expect, test } from "vitest";
import type { InvokeCall, InvokeReply } from "../../app/types.ts";
import { GRPC_STATUS } from "../../errors/grpc-status.ts";
import { silentLogger } from "../../kit/silent-logger.ts";
import { HeaderMetadata, metadataOf } from "../../net/grpc/metadata.ts";
import type { GrpcError } from "../../net/grpc/status.ts";
import type { ServerCall } from "../../net/grpc/types.ts";
import { HTTPExtension_Verb } from "../../wire/gen/dapr/proto/common/v1/common_pb.js";
import { InvokeServiceRequestSchema } from "../../wire/gen/dapr/proto/runtime/v1/invoke_pb.js";
import { ErrorInfoSchema } from "../../wire/gen/google/rpc/error_details_pb.js";
import { StatusSchema } from "../../wire/gen/google/rpc/status_pb.js";
import { invokeHandlers } from "./invoke.ts";

function setUp(reply: Partial<InvokeReply>) {
  const seen: (InvokeCall & { readonly target: string })[] = [];
  const handlers = invokeHandlers({
    invocation: {
      invoke: (target, call) => {
        seen.push({ ...call, target });
        return Promise.resolve({
          status: { kind: "http", code: 200 },
          headers: [],
          trailers: [],
          contentType: "",
          body: new Uint8Array(0),
          ...reply,
        });
      },
    },
    maxBodyBytes: 0,
    logger: silentLogger,
  });
  const call = {
    metadata: metadataOf({ "x-mine": "1", "x-bin": Buffer.from([1]), "dapr-api-token": "t" }),
    responseHeaders: new HeaderMetadata(),
    responseTrailers: new HeaderMetadata(),
    signal: new AbortController().signal,
  } as unknown as ServerCall;
  const request = create(InvokeServiceRequestSchema, {
    id: "app",
    message: {
      method: "m",
      contentType: "a/b",
      data: { value: Buffer.from("hi"), typeUrl: "T" },
      httpExtension: { verb: HTTPExtension_Verb.POST, querystring: "q=1" },
    },
  });
  return { seen, call, run: async () => await handlers.invokeService(request, call) };
}

test("an HTTP app's answer: body, permanent headers prefixed, its status in the metadata", async () => {
  const { seen, call, run } = setUp({
    status: { kind: "http", code: 201 },
    headers: ["Date", "now", "X-B", "2"],
    contentType: "c/d",
    body: Buffer.from("yo"),
  });
  const response = await run();
  expect(seen[0]).toMatchObject({
    target: "app",
    method: "m",
    verb: "POST",
    query: "q=1",
    contentType: "a/b",
    typeUrl: "T",
    origin: "grpc",
    headers: ["x-mine", "1", "x-bin", "AQ=="],
  });
  expect(response).toMatchObject({ contentType: "c/d" });
  expect(Buffer.from(response.data?.value ?? []).toString()).toBe("yo");
  expect([...call.responseHeaders.entries()]).toEqual([
    ["dapr-date", "now"],
    ["x-b", "2"],
    ["dapr-http-status", "201"],
  ]);
});

test("an HTTP app's failure is an error with the status text and the start of the body", async () => {
  const { call, run } = setUp({ status: { kind: "http", code: 404 }, body: Buffer.from("n".repeat(100)) });
  const error = (await run().catch((reason: unknown) => reason)) as GrpcError;
  expect([error.code, error.message]).toEqual([GRPC_STATUS.NOT_FOUND, "Not Found"]);
  const status = fromBinary(StatusSchema, error.detailsBin ?? new Uint8Array(0));
  expect(anyUnpack(status.details[0] ?? expect.fail(), ErrorInfoSchema)).toMatchObject({
    reason: "Not Found",
    domain: "dapr.io",
    metadata: { "http.code": "404", "http.error_message": "n".repeat(63) },
  });
  expect(call.responseHeaders.get("dapr-http-status")).toBe("404");
});

test("a gRPC app's failure keeps its status, details and trailers", async () => {
  const { call, run } = setUp({
    status: { kind: "grpc", code: GRPC_STATUS.ABORTED, message: "no", detailsBin: Buffer.from("d") },
    trailers: ["t-bin", "AQI="],
  });
  await expect(run()).rejects.toMatchObject({ code: GRPC_STATUS.ABORTED, message: "no", detailsBin: Buffer.from("d") });
  expect(Buffer.from(call.responseTrailers.getBinary("t-bin") ?? [])).toEqual(Buffer.from([1, 2]));
  expect(call.responseHeaders.get("dapr-http-status")).toBeUndefined();
});
