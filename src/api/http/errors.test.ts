import { expect, it } from "vitest";
import { commonErrors } from "../../errors/catalogue/common.ts";
import { ApiError, ERROR_DOMAIN, apiError } from "../../errors/error.ts";
import { errorBody } from "./errors.ts";

it("prints the legacy shape without details", () => {
  expect(errorBody(apiError(commonErrors.badRequest, { reason: "a < b & c" }))).toBe(
    '{"errorCode":"ERR_BAD_REQUEST","message":"invalid request: a \\u003c b \\u0026 c"}',
  );
});

it("prints the rich shape with details in Go's key order", () => {
  const error = apiError(
    commonErrors.badRequest,
    { reason: "x" },
    {
      details: [
        { kind: "ErrorInfo", reason: "DAPR_TEST", domain: ERROR_DOMAIN, metadata: { appID: "a" } },
        { kind: "ResourceInfo", resourceType: "state", resourceName: "store" },
        { kind: "BadRequest", fieldViolations: [{ field: "key", description: "bad" }] },
        { kind: "Help", links: [{ url: "u", description: "d" }] },
      ],
    },
  );
  expect(JSON.parse(errorBody(error))).toEqual({
    errorCode: "ERR_BAD_REQUEST",
    message: "invalid request: x",
    details: [
      {
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        domain: "dapr.io",
        metadata: { appID: "a" },
        reason: "DAPR_TEST",
      },
      {
        "@type": "type.googleapis.com/google.rpc.ResourceInfo",
        description: "",
        owner: "",
        resource_name: "store",
        resource_type: "state",
      },
      {
        "@type": "type.googleapis.com/google.rpc.BadRequest",
        field_violations: [{ field: "key", description: "bad" }],
      },
      { "@type": "type.googleapis.com/google.rpc.Help", links: [{ url: "u", description: "d" }] },
    ],
  });
});

it("stands in with the reason, or the status text, where there is no legacy code", () => {
  const entry = { ...commonErrors.badRequest, code: "" };
  const info = { kind: "ErrorInfo", reason: "DAPR_SCHEDULER", domain: ERROR_DOMAIN } as const;
  expect(JSON.parse(errorBody(new ApiError(entry, "m", { details: [info] })))).toMatchObject({
    errorCode: "DAPR_SCHEDULER",
  });
  expect(JSON.parse(errorBody(new ApiError(entry, "m")))).toMatchObject({ errorCode: "Bad Request" });
});
