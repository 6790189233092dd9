import { fromBinary } from "@bufbuild/protobuf";
import { anyUnpack } from "@bufbuild/protobuf/wkt";
import { expect, it } from "vitest";
import { commonErrors } from "../../errors/catalogue/common.ts";
import { apiError, ERROR_DOMAIN } from "../../errors/error.ts";
import { GRPC_STATUS } from "../../errors/grpc-status.ts";
import {
  BadRequestSchema,
  ErrorInfoSchema,
  HelpSchema,
  ResourceInfoSchema,
} from "../../wire/gen/google/rpc/error_details_pb.js";
import { StatusSchema } from "../../wire/gen/google/rpc/status_pb.js";
import { statusOf, statusOfBug } from "./errors.ts";

it("an error without details is its code and its text", () => {
  expect(statusOf(apiError(commonErrors.badRequest, { reason: "x" }))).toEqual({
    code: GRPC_STATUS.INVALID_ARGUMENT,
    message: "invalid request: x",
  });
});

it("a status that an error was given wins over its row's", () => {
  expect(statusOf(apiError(commonErrors.badRequest, { reason: "x" }, { grpcStatus: GRPC_STATUS.ABORTED })).code).toBe(
    GRPC_STATUS.ABORTED,
  );
});

it("details travel as google.rpc.Status with the same code and text, in their order", () => {
  const { detailsBin, ...status } = statusOf(
    apiError(
      commonErrors.badRequest,
      { reason: "x" },
      {
        details: [
          { kind: "ErrorInfo", reason: "R", domain: ERROR_DOMAIN, metadata: { appID: "a" } },
          { kind: "ResourceInfo", resourceType: "state", resourceName: "store", owner: "me" },
          { kind: "BadRequest", fieldViolations: [{ field: "key", description: "bad" }] },
          { kind: "Help", links: [{ url: "u", description: "d" }] },
        ],
      },
    ),
  );
  const sent = fromBinary(StatusSchema, detailsBin ?? new Uint8Array());
  expect({ code: sent.code, message: sent.message }).toEqual(status);
  const [info, resource, request, help] = sent.details;
  expect(anyUnpack(info!, ErrorInfoSchema)).toMatchObject({ reason: "R", domain: "dapr.io", metadata: { appID: "a" } });
  expect(anyUnpack(resource!, ResourceInfoSchema)).toMatchObject({
    resourceType: "state",
    resourceName: "store",
    owner: "me",
    description: "",
  });
  expect(anyUnpack(request!, BadRequestSchema)).toMatchObject({
    fieldViolations: [{ field: "key", description: "bad" }],
  });
  expect(anyUnpack(help!, HelpSchema)).toMatchObject({ links: [{ url: "u", description: "d" }] });
});

it("a bug is Internal with its text", () => {
  expect(statusOfBug(new TypeError("oops"))).toEqual({ code: GRPC_STATUS.INTERNAL, message: "oops" });
  expect(statusOfBug("text")).toEqual({ code: GRPC_STATUS.INTERNAL, message: "text" });
});
