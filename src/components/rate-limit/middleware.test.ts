import { expect, it } from "vitest";
import { openMiddleware } from "../spi/middleware.fixture.ts";
import { rateLimitManifest } from "./manifest.ts";

it("lets through what the rate allows, says how much is left, and refuses the rest", async () => {
  const { ask, clock } = await openMiddleware(rateLimitManifest, { maxRequestsPerSecond: "2" });
  const first = await ask("/a?x=1", {}, { headers: ["x-app", "1"] });
  expect(first.headers.join(" ")).toBe(
    "x-rate-limit-limit 2.00 x-rate-limit-duration 1 x-rate-limit-request-remote-addr 192.0.2.1 " +
      "ratelimit-limit 2 ratelimit-reset 1 ratelimit-remaining 1 x-app 1",
  );
  expect((await ask("/a?x=2")).header("ratelimit-remaining")).toBe("0");
  const refused = await ask("/a");
  expect([refused.status, refused.text, refused.passed]).toEqual([
    429,
    "You have reached maximum request limit.",
    undefined,
  ]);
  expect(refused.header("content-type")).toBe("text/plain; charset=utf-8");
  expect((await ask("/b")).status).toBe(200);
  expect((await ask("/a", { remoteAddress: "192.0.2.2" })).status).toBe(200);
  clock.advance(499);
  expect((await ask("/a")).status).toBe(429);
  clock.advance(1);
  expect((await ask("/a")).status).toBe(200);
});

it("takes fractions, and 100 where nothing is said", async () => {
  const slow = await openMiddleware(rateLimitManifest, { maxRequestsPerSecond: "0.5" });
  expect([(await slow.ask("/")).status, (await slow.ask("/")).status]).toEqual([200, 429]);
  slow.clock.advance(2_000);
  expect((await slow.ask("/")).status).toBe(200);
  const usual = await openMiddleware(rateLimitManifest, {});
  expect((await usual.ask("/")).header("ratelimit-remaining")).toBe("99");
});

it.each([
  [["x-forwarded-for", "203.0.113.9, 198.51.100.7"], ["x-forwarded-for", "198.51.100.7"], true],
  [["x-forwarded-for", "198.51.100.7"], ["x-real-ip", "198.51.100.7"], true],
  [["x-real-ip", "2001:db8:1:2::1"], ["x-real-ip", "2001:db8:1:2:ffff::"], true],
  [["x-real-ip", "2001:db8:1:2::1"], ["x-real-ip", "2001:db8:1:3::1"], false],
  [["x-real-ip", "::1"], ["x-real-ip", "::2"], true],
])("%j and %j are the same caller: %s", async (one, other, same) => {
  const { ask } = await openMiddleware(rateLimitManifest, { maxRequestsPerSecond: "1" });
  await ask("/", { headers: one });
  expect((await ask("/", { headers: other })).status).toBe(same ? 429 : 200);
});

it("a caller that nobody knows gets an address, which the app sees", async () => {
  const { ask } = await openMiddleware(rateLimitManifest, {});
  const asked = await ask("/", { remoteAddress: "" });
  expect([asked.sent("x-forwarded-for"), asked.header("x-rate-limit-request-forwarded-for")]).toEqual([
    "0.0.0.0",
    "0.0.0.0",
  ]);
});

it.each(["0", "-2"])("%s a second is no rate", async (maxRequestsPerSecond) => {
  await expect(openMiddleware(rateLimitManifest, { maxRequestsPerSecond })).rejects.toThrow(
    "metadata property maxRequestsPerSecond must be a positive value",
  );
});
