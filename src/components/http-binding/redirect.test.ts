import { describe, expect, it } from "vitest";
import { redirectOf } from "./redirect.ts";
import type { OutgoingRequest } from "./request.ts";

const request: OutgoingRequest = {
  method: "POST",
  url: new URL("http://one/base/x"),
  headers: ["content-type", "text/plain", "accept", "*/*", "authorization", "secret", "x-token", "t"],
  body: Buffer.from("b"),
};
const response = (status: number, location?: string) => ({
  status,
  headers: location === undefined ? [] : ["Location", location],
  body: new Uint8Array(0),
});

describe("redirectOf", () => {
  it.each([301, 302, 303])("turns a request into a GET for status %i", (status) => {
    const next = redirectOf(request, response(status, "../y?z=1"), "x-token");
    expect(next).toMatchObject({
      method: "GET",
      headers: ["accept", "*/*", "authorization", "secret", "x-token", "t"],
    });
    expect([next?.url.href, next?.body.byteLength]).toEqual(["http://one/y?z=1", 0]);
  });

  it.each([307, 308])("repeats a request for status %i", (status) => {
    const next = redirectOf(request, response(status, "/y"), undefined);
    expect(next).toMatchObject({ method: "POST", headers: request.headers, body: request.body });
  });

  it("keeps secrets from other servers", () => {
    expect(redirectOf(request, response(308, "http://two/"), "x-token")?.headers).toEqual([
      "content-type",
      "text/plain",
      "accept",
      "*/*",
    ]);
  });

  it("keeps HEAD", () => {
    expect(redirectOf({ ...request, method: "HEAD" }, response(302, "/y"), undefined)?.method).toBe("HEAD");
  });

  it.each([
    response(302),
    response(200, "/y"),
    response(304, "/y"),
    response(302, "ftp://x/"),
    response(302, "http://"),
  ])("takes %j for an answer", (answer) => {
    expect(redirectOf(request, answer, undefined)).toBeUndefined();
  });
});
