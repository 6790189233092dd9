import { describe, expect, it } from "vitest";
import type { BindingRequest } from "../spi/bindings.ts";
import { errorIfNot2xx, outgoingRequest } from "./request.ts";
import { readUpTo } from "./response-body.ts";

const request = (operation: string, metadata: Readonly<Record<string, string>> = {}): BindingRequest => ({
  operation,
  data: Buffer.from("body"),
  metadata,
});
const headersOf = (headers: readonly string[]): Readonly<Record<string, string>> =>
  Object.fromEntries(headers.flatMap((name, index) => (index % 2 === 0 ? [[name, headers[index + 1] ?? ""]] : [])));

describe("requests of bindings.http", () => {
  it.each([
    ["create", "POST", "body"],
    ["post", "POST", "body"],
    ["put", "PUT", "body"],
    ["PATCH", "PATCH", "body"],
    ["get", "GET", ""],
    ["head", "HEAD", ""],
    ["delete", "DELETE", ""],
    ["options", "OPTIONS", ""],
    ["trace", "TRACE", ""],
  ])("sends %s as %s", (operation, method, body) => {
    const outgoing = outgoingRequest("http://host", request(operation), undefined);
    expect(outgoing.method).toBe(method);
    expect(Buffer.from(outgoing.body).toString()).toBe(body);
  });

  it("refuses other operations", () => {
    expect(() => outgoingRequest("http://host", request("connect"), undefined)).toThrow("invalid operation: connect");
  });

  it("puts the path behind the base with one slash", () => {
    const urls = ["http://host/base", "http://host/base/"].map(
      (base) => outgoingRequest(base, request("get", { path: "//a/b?c=d" }), undefined).url.href,
    );
    expect(urls).toEqual(["http://host/base/a/b?c=d", "http://host/base/a/b?c=d"]);
  });

  it("takes capitalised metadata for headers, and the trace", () => {
    const { headers } = outgoingRequest(
      "http://host",
      request("post", { Accept: "text/plain", "X-One": "1", lower: "no", traceparent: "00-1" }),
      { header: "X-Token", value: "t" },
    );
    expect(headersOf(headers)).toEqual({
      "content-type": "application/json; charset=utf-8",
      accept: "text/plain",
      "x-token": "t",
      "x-one": "1",
      traceparent: "00-1",
    });
  });

  it("lets a request say whether a status is an error", () => {
    expect([
      errorIfNot2xx(request("get"), true),
      errorIfNot2xx(request("get", { errorIfNot2XX: "false" }), true),
      errorIfNot2xx(request("get", { errorIfNot2XX: "yes" }), false),
    ]).toEqual([true, false, true]);
  });

  it("reads no more of an answer than it may", async () => {
    async function* chunks(): AsyncGenerator<Uint8Array> {
      yield Buffer.from("abc");
      yield Buffer.from("def");
      throw new Error("too far");
    }
    expect(Buffer.from(await readUpTo(chunks(), 5)).toString()).toBe("abcde");
    expect(Buffer.from(await readUpTo(Buffer.from("abc"), 2)).toString()).toBe("ab");
    expect(Buffer.from(await readUpTo(Buffer.from("abc"), 0)).toString()).toBe("abc");
  });
});
