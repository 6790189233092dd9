import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readToken } from "./token-endpoint.ts";

const answer = (body: string, contentType = "application/json", status = 200) => ({
  status,
  headers: ["Content-Type", contentType],
  body: Buffer.from(body),
});

describe("an answer of a token endpoint", () => {
  it.each([
    ['{"access_token":"a","token_type":"bearer","expires_in":60}', "application/json", "Bearer a", 60_000],
    ['{"access_token":"a","token_type":"MAC","expires_in":"60"}', "text/json", "MAC a", 60_000],
    ['{"access_token":"a","token_type":"dpop"}', "", "dpop a", undefined],
    ["access_token=a%2Bb&token_type=basic&expires_in=1", "application/x-www-form-urlencoded", "Basic a+b", 1_000],
    ["access_token=a", "text/plain; charset=utf-8", "Bearer a", undefined],
  ])("%s", (body, type, header, livesMs) => {
    expect(readToken(answer(body, type))).toEqual({ header, livesMs });
  });

  it.each([
    ['{"error":"invalid_grant","error_description":"secret"}', 400, "oauth2: cannot fetch token: 400 invalid_grant"],
    ['{"error":"a\\nb secret"}', 400, "oauth2: cannot fetch token: 400"],
    ["<html>", 502, "oauth2: cannot fetch token: 502"],
    ['{"access_token":1}', 200, "oauth2: server response missing access_token"],
    [
      JSON.stringify({ access_token: "a".repeat(16_385) }),
      200,
      "oauth2: the token has more than the limit of 16384 characters",
    ],
  ])("%s with status %i is an error that repeats nothing", (body, status, message) => {
    expect(() => readToken(answer(body, "application/json", status))).toThrow(new Error(message));
  });

  it("is a token or an error, whatever it is", () => {
    fc.assert(
      fc.property(fc.json(), fc.integer({ min: 200, max: 599 }), (body, status) => {
        try {
          expect(readToken(answer(body, "application/json", status)).header).toMatch(/^\S+ .+$/s);
        } catch (error) {
          expect((error as Error).message).toMatch(/^oauth2: /);
        }
      }),
    );
  });
});
