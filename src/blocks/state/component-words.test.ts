import { expect, it } from "vitest";
import { ComponentError } from "../../components/spi/errors.ts";
import { RichComponentError } from "../../components/spi/rich-error.ts";
import { GRPC_STATUS } from "../../errors/grpc-status.ts";
import { failureOf, ownWords, readFailureOf } from "./errors.ts";

const rich = new RichComponentError("unavailable", {
  grpcStatus: GRPC_STATUS.DATA_LOSS,
  httpStatus: 506,
  text: "no rows",
  tag: "",
  reason: "EMPTY",
  domain: "shelf",
});

it("a component's own statuses replace those of the operation, for reads and for writes", () => {
  for (const convert of [failureOf, readFailureOf]) {
    expect(convert(rich)).toEqual({
      reason: "api error: code = DataLoss desc = no rows",
      options: { cause: rich, httpStatus: 506, grpcStatus: GRPC_STATUS.DATA_LOSS },
    });
  }
});

it("an etag that does not fit decides on the status of a write only", () => {
  const mismatch = new ComponentError("etagMismatch", "stale");
  expect(failureOf(mismatch).options).toEqual({ cause: mismatch, httpStatus: 409, grpcStatus: GRPC_STATUS.ABORTED });
  expect(readFailureOf(mismatch).options).toEqual({ cause: mismatch });
});

it("a component's own words are an error with its text and one detail", () => {
  const error = ownWords(rich);
  expect(error).toMatchObject({
    message: "no rows",
    httpStatus: 506,
    grpcStatus: GRPC_STATUS.DATA_LOSS,
    details: [{ kind: "ErrorInfo", reason: "EMPTY", domain: "shelf" }],
    entry: { code: "", category: "pluggable-component" },
  });
});
