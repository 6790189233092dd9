import { createHmac } from "node:crypto";
import { describe, expect, it } from "vitest";
import { Cancellation, NEVER_CANCELLED } from "../../../kit/cancel-signal.ts";
import { silentLogger } from "../../../kit/silent-logger.ts";
import { VirtualClock } from "../../../kit/virtual-clock.fixture.ts";
import { signRequest } from "../sentry.fixture.ts";
import { JwksValidator, jwksOptions } from "./jwks.ts";
import { SENTRY_URI, signToken, tokenKey } from "./tokens.fixture.ts";

const clock = new VirtualClock();
const key = tokenKey("mykey");
const ecdsa = tokenKey("ecdsa", "p256");
const rsa = tokenKey("rsa", "rsa");
const SET = JSON.stringify({ keys: [key.jwk, ecdsa.jwk, rsa.jwk] });
const NOT_VERIFIED = "token validation failed: could not verify message using any of the signatures or keys";

async function started(source = SET): Promise<JwksValidator> {
  const validator = new JwksValidator(jwksOptions(new Map([["source", source]])), SENTRY_URI, {
    clock,
    logger: silentLogger,
  });
  await validator.start();
  return validator;
}

async function judge(token: string, source = SET): Promise<string> {
  const validator = await started(source);
  return await validator.validate(await signRequest({ token }), NEVER_CANCELLED).catch((error: Error) => error.message);
}

const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");

describe("the jwks validator", () => {
  it.each([
    ["Ed25519", key],
    ["ECDSA", ecdsa],
    ["RSA", rsa],
  ])("takes a token signed with %s", async (_kind, one) => {
    expect(await judge(await signToken(one, clock.now()))).toBe("public");
  });

  it("takes a set in base64, with and without padding", async () => {
    const token = await signToken(key, clock.now());
    const base64 = Buffer.from(SET).toString("base64");
    expect(await judge(token, base64)).toBe("public");
    expect(await judge(token, base64.replace(/=+$/, ""))).toBe("public");
  });

  it.each([
    [{ aud: ["other"] }, "aud"],
    [{ aud: undefined }, "aud"],
    [{ sub: "spiffe://public/ns/default/other" }, "sub"],
    [{ exp: 1 }, "exp"],
    [{ exp: "never" }, "exp"],
    [{ nbf: 4e9 }, "nbf"],
    [{ iat: 4e9 }, "iat"],
  ])("refuses the claims %j", async (claims, name) => {
    expect(await judge(await signToken(key, clock.now(), claims))).toBe(
      `token validation failed: "${name}" not satisfied`,
    );
  });

  it("allows clocks to differ by five minutes", async () => {
    const now = clock.now() / 1000;
    const late = await signToken(key, clock.now(), { exp: now - 299, nbf: now + 299, iat: now + 299 });
    expect(await judge(late)).toBe("public");
    expect(await judge(await signToken(key, clock.now(), { exp: now - 300 }))).toContain('"exp"');
  });

  it("refuses a token for another trust domain than the one that is asked for", async () => {
    const validator = await started();
    const token = await signToken(key, clock.now());
    const request = await signRequest({ token, trustDomain: "other.example" });
    await expect(validator.validate(request, NEVER_CANCELLED)).rejects.toThrow('"sub" not satisfied');
  });

  it("refuses another's key under a key id of the set, and a key id that the set has not", async () => {
    expect(await judge(await signToken(tokenKey("mykey"), clock.now()))).toBe(NOT_VERIFIED);
    expect(await judge(await signToken(key, clock.now(), {}, { kid: "none" }))).toBe(NOT_VERIFIED);
    expect(await judge(await signToken(key, clock.now(), {}, { kid: undefined }))).toBe(NOT_VERIFIED);
  });

  it.each(["none", "None", "NONE", "", "HS256"])("refuses an unsigned token with the algorithm %j", async (alg) => {
    const claims = part({ aud: [SENTRY_URI], sub: "spiffe://public/ns/default/myapp" });
    for (const signature of ["", "AAAA"]) {
      expect(await judge(`${part({ alg, kid: "mykey" })}.${claims}.${signature}`)).toBe(NOT_VERIFIED);
    }
  });

  it("refuses a token signed with a published key as a shared secret", async () => {
    const signed = `${part({ alg: "HS256", kid: "rsa" })}.${part({ aud: [SENTRY_URI], sub: "spiffe://public/ns/default/myapp" })}`;
    const { jwk } = rsa;
    for (const secret of [jwk.n ?? "", JSON.stringify(jwk), Buffer.from(jwk.n ?? "", "base64url")]) {
      const signature = createHmac("sha256", secret).update(signed).digest("base64url");
      expect(await judge(`${signed}.${signature}`)).toBe(NOT_VERIFIED);
    }
    // Nor is a shared secret in the set a key.
    const oct = JSON.stringify({ keys: [{ kty: "oct", k: "c2VjcmV0", kid: "rsa", alg: "HS256" }] });
    const signature = createHmac("sha256", "secret").update(signed).digest("base64url");
    expect(await judge(`${signed}.${signature}`, oct)).toBe(NOT_VERIFIED);
  });

  it("refuses another algorithm than the one that its key names", async () => {
    const only = JSON.stringify({ keys: [{ ...rsa.jwk, alg: "PS256" }] });
    expect(await judge(await signToken(rsa, clock.now()), only)).toBe(NOT_VERIFIED);
  });

  it("does not follow a key that the token brings", async () => {
    const other = tokenKey("mykey");
    expect(await judge(await signToken(other, clock.now(), {}, { jwk: other.jwk }))).toBe(NOT_VERIFIED);
    expect(await judge(await signToken(other, clock.now(), {}, { jku: "https://evil.test/jwks" }))).toBe(NOT_VERIFIED);
  });

  it("refuses keys that are not for signatures", async () => {
    const set = JSON.stringify({ keys: [{ ...key.jwk, use: "enc" }] });
    expect(await judge(await signToken(key, clock.now()), set)).toBe(NOT_VERIFIED);
  });

  it.each(["", "x", "a.b", "a.b.c", "a.b.c.d", "....", "e30.e30.", `${part(null)}.${part(null)}.AA`])(
    "refuses the token %j",
    async (token) => {
      expect(await judge(token)).toBe(token === "" ? "the request does not contain a token" : NOT_VERIFIED);
    },
  );

  it("makes requests wait until it has keys, and not longer than their callers do", async () => {
    const validator = new JwksValidator(jwksOptions(new Map([["source", SET]])), SENTRY_URI, {
      clock,
      logger: silentLogger,
    });
    const gone = new Cancellation();
    const request = await signRequest({ token: await signToken(key, clock.now()) });
    const [waits, gives] = [validator.validate(request, NEVER_CANCELLED), validator.validate(request, gone)];
    gone.abort(new Error("gone"));
    await expect(gives).rejects.toThrow("jwks validator not ready");
    await validator.start();
    expect(await waits).toBe("public");
  });

  it.each([
    ["", "property 'location' must not be empty"],
    ["/no/such/file", "failed to parse property 'location': not a URL, path to local file, or JSON value"],
    ['{"keys":[]}', "JWKS doesn't contain any keys"],
    [`{"keys":[${"{}".padEnd(1024 * 1024, " ")}]}`, "a JWKS has at most 1048576 bytes, and this one more"],
    [JSON.stringify({ keys: Array.from({ length: 257 }, () => ({ kty: "x" })) }), "a JWKS has at most 256 keys"],
  ])("does not start with the source %.20s", async (source, message) => {
    await expect(started(source)).rejects.toThrow(message);
  });

  it("reads its options by any case, durations as Go has them or in seconds", () => {
    const read = (options: Readonly<Record<string, string>>) => jwksOptions(new Map(Object.entries(options)));
    expect(read({ Source: "s", minRefreshInterval: "2m", requestTimeout: "5", caCertificate: "c" })).toEqual({
      source: "s",
      caCertificate: "c",
      refreshMs: 120_000,
      requestTimeoutMs: 5_000,
    });
    expect(read({ minRefreshInterval: "1s" })).toMatchObject({ refreshMs: 600_000, requestTimeoutMs: 30_000 });
    expect(() => read({ requestTimeout: "soon" })).toThrow("failed to decode validator options: 'requestTimeout'");
  });
});
