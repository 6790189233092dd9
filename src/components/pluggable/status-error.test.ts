import { create, type DescMessage, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import { describe, expect, it } from "vitest";
import { GRPC_STATUS, type GrpcStatusCode } from "../../errors/grpc-status.ts";
import { GrpcError } from "../../net/grpc/status.ts";
import { BadRequestSchema, ErrorInfoSchema } from "../../wire/gen/google/rpc/error_details_pb.js";
import { StatusSchema } from "../../wire/gen/google/rpc/status_pb.js";
import { RichComponentError } from "../spi/rich-error.ts";
import { bulkDeleteError, readError, statusError, transactionError, writeError } from "./status-error.ts";

const { FAILED_PRECONDITION, INVALID_ARGUMENT, INTERNAL, DATA_LOSS } = GRPC_STATUS;

function errorWith<D extends DescMessage>(
  code: GrpcStatusCode,
  schema: D,
  ...details: readonly MessageInitShape<D>[]
): GrpcError {
  const packed = details.map((detail) => anyPack(schema, create(schema, detail)));
  const status = create(StatusSchema, { code, message: "no", details: packed });
  return new GrpcError(code, "no", { detailsBin: toBinary(StatusSchema, status) });
}

const etag = (code: GrpcStatusCode, field = "etag") =>
  errorWith(code, BadRequestSchema, { fieldViolations: [{ field, description: "it is 7" }] });

const info = (code: GrpcStatusCode, metadata: Record<string, string>) =>
  errorWith(code, ErrorInfoSchema, { reason: "why", domain: "where", metadata });

describe("statusError", () => {
  it("prints a status as Go does, and keeps it as the cause", () => {
    const cause = new GrpcError(GRPC_STATUS.NOT_FOUND, "gone");
    expect(statusError(cause)).toMatchObject({
      name: "ComponentError",
      kind: "notFound",
      message: "rpc error: code = NotFound desc = gone",
      cause,
    });
  });

  it("lets bugs through", () => {
    const bug = new TypeError("x is undefined");
    for (const convert of [statusError, readError, writeError, bulkDeleteError, transactionError]) {
      expect(convert(bug)).toBe(bug);
    }
  });
});

describe("an etag violation", () => {
  it.each([
    [FAILED_PRECONDITION, "etagMismatch", "possible etag mismatch. error from state store: it is 7"],
    [INVALID_ARGUMENT, "etagInvalid", "invalid etag value: it is 7"],
  ] as const)("of status %d is %s", (code, kind, message) => {
    expect(writeError(etag(code))).toMatchObject({ kind, message });
    expect(bulkDeleteError(etag(code))).toMatchObject({ kind, message });
    expect(transactionError(etag(code))).toMatchObject({
      kind,
      message: expect.stringContaining("rpc error: code = ") as unknown,
    });
  });

  it.each([
    ["another field", etag(FAILED_PRECONDITION, "key")],
    ["another status", etag(INTERNAL)],
    ["no detail", new GrpcError(FAILED_PRECONDITION, "no")],
    [
      "two violations",
      errorWith(FAILED_PRECONDITION, BadRequestSchema, {
        fieldViolations: [{ field: "etag" }, { field: "etag" }],
      }),
    ],
    ["two details", errorWith(FAILED_PRECONDITION, BadRequestSchema, {}, {})],
    ["bytes that are no status", new GrpcError(FAILED_PRECONDITION, "no", { detailsBin: Buffer.from([255, 1]) })],
  ])("with %s is none", (_, error) => {
    expect(writeError(error)).toMatchObject({
      message: expect.stringMatching(/^rpc error: code = \w+ desc = no$/) as unknown,
    });
  });
});

describe("a bulk delete that affected fewer rows", () => {
  it("says how many, in Dapr's words", () => {
    expect(bulkDeleteError(info(INTERNAL, { expected: "3", affected: "1" }))).toMatchObject({
      message: "delete affected only 1 rows, expected 3",
    });
  });

  it.each([{ expected: "3" }, { expected: "3", affected: "many" }])("not without both numbers: %j", (metadata) => {
    expect(bulkDeleteError(info(INTERNAL, metadata))).toMatchObject({
      message: "rpc error: code = Internal desc = no",
    });
  });
});

describe("an error that is meant for callers", () => {
  it("keeps code, statuses and details, and prints as within Dapr's texts", () => {
    const error = writeError(info(DATA_LOSS, { kit_error: "true", http_code: "506", tag: "ERR_X" }));
    expect(error).toBeInstanceOf(RichComponentError);
    expect(error).toMatchObject({
      message: "api error: code = DataLoss desc = no",
      status: { grpcStatus: DATA_LOSS, httpStatus: 506, text: "no", tag: "ERR_X", reason: "why", domain: "where" },
    });
  });

  it.each([{ http_code: "506" }, { kit_error: "true" }, { kit_error: "true", http_code: "x" }])(
    "says so, with a number as its HTTP status: %j does not",
    (metadata) => {
      expect(readError(info(DATA_LOSS, metadata))).not.toBeInstanceOf(RichComponentError);
    },
  );

  it("has no HTTP status that HTTP does not have", () => {
    const error = readError(info(DATA_LOSS, { kit_error: "true", http_code: "100" }));
    expect(error).toMatchObject({ status: { httpStatus: 500 } });
  });
});
