import { describe, expect, test } from "vitest";
import { GRPC_STATUS } from "../errors/grpc-status.ts";
import { interpretGrpcTopicError, interpretGrpcTopicResponse, interpretHttpTopicResponse } from "./topic-response.ts";
import type { TopicEvent } from "./types.ts";

const event = { fields: { id: "e1", topic: "orders" } } as unknown as TopicEvent;
const http = (status: number, body = "") => interpretHttpTopicResponse(status, Buffer.from(body), event);

describe("an HTTP app's answer", () => {
  test.each([
    [200, ""],
    [204, ""],
    [299, "ok"],
    [200, "{}"],
    [200, '{"status":""}'],
    [200, '{"status":"SUCCESS"}'],
    [200, '"RETRY"'],
    [200, "[1]"],
    [200, "null"],
    [200, '{"status":5}'],
    [200, '{"status":"RETRY"'],
    [200, '{"other":"RETRY"}'],
  ])("%i %s is a success", (status, body) => {
    expect(http(status, body)).toEqual({ kind: "success" });
  });

  test.each(['{"status":"RETRY"}', '{"Status":"RETRY"}', '{"status":"RETRY"} and more'])(
    "%s asks for it again",
    (body) => {
      expect(http(200, body)).toEqual({
        kind: "retry",
        reason: "RETRY status returned from app while processing pub/sub event e1",
      });
    },
  );

  test("DROP ends it", () => {
    expect(http(200, '{"status":"DROP"}')).toEqual({
      kind: "drop",
      severity: "warn",
      reason: "DROP status returned from app while processing pub/sub event e1",
    });
  });

  test("an unknown status asks for it again", () => {
    expect(http(200, '{"status":"success"}')).toEqual({
      kind: "retry",
      reason: "unknown status returned from app while processing pub/sub event e1, status: success",
    });
  });

  test("404 ends it", () => {
    expect(http(404, "nothing here")).toEqual({
      kind: "drop",
      severity: "error",
      reason:
        "non-retriable error returned from app while processing pub/sub event e1: nothing here. status code returned: 404",
    });
  });

  test.each([199, 301, 400, 500, 503])("%i asks for it again", (status) => {
    expect(http(status, "why")).toEqual({
      kind: "retry",
      reason: `retriable error returned from app while processing pub/sub event e1, topic: orders, body: why. status code returned: ${status}`,
      status: { kind: "http", code: status },
    });
  });

  test("an event without id or topic is shown as Go shows it", () => {
    const outcome = interpretHttpTopicResponse(500, Buffer.from(""), { fields: { id: 5 } } as unknown as TopicEvent);
    expect(outcome.kind === "retry" ? outcome.reason : "").toContain("event 5, topic: <nil>, body: .");
  });
});

describe("a gRPC app's answer", () => {
  test.each([
    [0, { kind: "success" }],
    [1, { kind: "retry", reason: "RETRY status returned from app while processing pub/sub event e1" }],
    [2, { kind: "drop", severity: "warn", reason: "DROP status returned from app while processing pub/sub event e1" }],
    [7, { kind: "retry", reason: "unknown status returned from app while processing pub/sub event e1, status: 7" }],
  ])("status %i", (status, outcome) => {
    expect(interpretGrpcTopicResponse(status, event)).toEqual(outcome);
  });

  test("Unimplemented is acknowledged with a warning, other errors ask for it again", () => {
    expect(interpretGrpcTopicError(GRPC_STATUS.UNIMPLEMENTED, "no", event)).toEqual({
      kind: "success",
      warning:
        "non-retriable error returned from app while processing pub/sub event e1: rpc error: code = Unimplemented desc = no",
    });
    expect(interpretGrpcTopicError(GRPC_STATUS.UNAVAILABLE, "gone", event)).toEqual({
      kind: "retry",
      reason: "error returned from app while processing pub/sub event e1: rpc error: code = Unavailable desc = gone",
      status: { kind: "grpc", code: GRPC_STATUS.UNAVAILABLE },
    });
  });
});
