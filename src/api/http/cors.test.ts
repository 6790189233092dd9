import { describe, expect, it } from "vitest";
import type { HttpExchange } from "../../net/http/types.ts";
import { createCors } from "./cors.ts";

function originHeader(allowed: string, origin: string | undefined): string | undefined {
  const exchange = {
    header: (name: string) => (name === "origin" ? origin : undefined),
  } as Partial<HttpExchange> as HttpExchange;
  const headers = createCors(allowed).responseHeaders(exchange);
  expect(headers.slice(0, 2)).toEqual(["vary", "Origin"]);
  return headers[headers.indexOf("access-control-allow-origin", 2) + 1] === "vary" ? undefined : headers[3];
}

describe("allowed origins", () => {
  it.each([
    ["*", "https://any.test", "*"],
    ["https://a.test", "https://a.test", "https://a.test"],
    ["https://a.test", "https://A.TEST", "https://A.TEST"],
    [" https://a.test , https://b.test", "https://b.test", "https://b.test"],
    ["https://*.a.test", "https://x.a.test", "https://x.a.test"],
    ["https://a.test,*", "https://any.test", "https://any.test"],
  ])("%s allows %s", (allowed, origin, answer) => {
    expect(originHeader(allowed, origin)).toBe(answer);
  });

  it.each([
    ["https://a.test", "https://b.test"],
    ["https://a.test", "http://a.test"],
    ["https://*.a.test", "https://a.test"],
    ["https://*a.test", "https://a.test.evil"],
    ["ab*ba", "aba"],
    ["https://a.test", ""],
    ["https://a.test", undefined],
  ])("%s does not allow %s", (allowed, origin) => {
    expect(originHeader(allowed, origin)).toBeUndefined();
  });
});

describe("a preflight", () => {
  function preflight(
    method: string,
    fields: Readonly<Record<string, string>>,
  ): { answered: boolean; status: number; headers: readonly string[] } {
    let status = 0;
    let headers: readonly string[] = [];
    const exchange = {
      method,
      header: (name: string) => fields[name],
      respond(given: number, list: readonly string[]) {
        status = given;
        headers = list;
      },
    } as Partial<HttpExchange> as HttpExchange;
    const answered = createCors("https://a.test").answerPreflight(exchange);
    return { answered, status, headers };
  }

  it("is an OPTIONS request that asks for a method, and nothing else", () => {
    expect(preflight("OPTIONS", { origin: "https://a.test" }).answered).toBe(false);
    expect(preflight("GET", { origin: "https://a.test", "access-control-request-method": "GET" }).answered).toBe(false);
    expect(preflight("OPTIONS", { "access-control-request-method": "GET" }).answered).toBe(true);
  });

  it("is allowed for Dapr's methods only", () => {
    const allowed = preflight("OPTIONS", { origin: "https://a.test", "access-control-request-method": "patch" });
    expect(allowed).toMatchObject({
      status: 200,
      headers: expect.arrayContaining(["access-control-allow-methods", "PATCH"]) as string[],
    });
    const refused = preflight("OPTIONS", { origin: "https://a.test", "access-control-request-method": "TRACE" });
    expect(refused.status).toBe(200);
    expect(refused.headers).not.toContain("access-control-allow-origin");
  });
});
