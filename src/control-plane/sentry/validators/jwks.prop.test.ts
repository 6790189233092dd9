import fc from "fast-check";
import { expect, test } from "vitest";
import { NEVER_CANCELLED } from "../../../kit/cancel-signal.ts";
import { silentLogger } from "../../../kit/silent-logger.ts";
import { VirtualClock } from "../../../kit/virtual-clock.fixture.ts";
import { signRequest } from "../sentry.fixture.ts";
import { JwksValidator, jwksOptions } from "./jwks.ts";
import { SENTRY_URI, signToken, tokenKey } from "./tokens.fixture.ts";

const clock = new VirtualClock();

test("no token but the signed one is taken, whatever is changed in it", async () => {
  const key = tokenKey("mykey");
  const source = JSON.stringify({ keys: [key.jwk] });
  const validator = new JwksValidator(jwksOptions(new Map([["source", source]])), SENTRY_URI, {
    clock,
    logger: silentLogger,
  });
  await validator.start();
  const request = await signRequest();
  const good = await signToken(key, clock.now());
  const judge = (token: string) => validator.validate({ ...request, token }, NEVER_CANCELLED);
  expect(await judge(good)).toBe("public");

  const mutated = fc
    .array(fc.record({ at: fc.nat({ max: good.length - 1 }), text: fc.string({ maxLength: 2 }) }), {
      minLength: 1,
      maxLength: 3,
    })
    .map((changes) => changes.reduce((token, { at, text }) => token.slice(0, at) + text + token.slice(at + 1), good));
  await fc.assert(
    fc.asyncProperty(fc.oneof(mutated, fc.string(), fc.json()), async (token) => {
      // The last characters of base64url may hold bits that mean nothing: such a token is the same one.
      const parts = (text: string) =>
        text
          .split(".")
          .map((one) => Buffer.from(one, "base64url").toString("hex"))
          .join(".");
      fc.pre(parts(token) !== parts(good));
      const why = await judge(token).then(
        () => "taken",
        (error: unknown) => (error as Error).message,
      );
      expect(why).toMatch(/^(?:token validation failed: |the request does not contain a token)/);
    }),
    { numRuns: 500 },
  );
});
