import { expect, it } from "vitest";
import { reasonOf } from "./reason.ts";

it.each([
  [
    "the sidecar's sentence",
    { error: "x", error_msg: '{"errorCode":"E","message":"no such app"}', status: 500 },
    "no such app",
  ],
  ["its text", { error: "x", error_msg: "plain", status: 500 }, "plain"],
  ["its status when it said nothing", { error: "x", error_msg: "", status: 502 }, "status 502"],
  ["the message as it is", { other: 1 }, '{"other":1}'],
])("is %s", (_what, message, reason) => {
  expect(reasonOf(new Error(JSON.stringify(message)))).toBe(reason);
});

it("is what was thrown when that is no error", () => {
  expect(reasonOf(new Error("connect ECONNREFUSED"))).toBe("connect ECONNREFUSED");
  expect(reasonOf("text")).toBe("text");
  expect(reasonOf({ code: 1 })).toBe('{"code":1}');
});
