import { describe, expect, it, test } from "vitest";
import { decodeBreaker, decodeRetry, decodeTimeout, TIMER_MS_MAX } from "./decode.ts";
import { document, setUpResiliency } from "./policy.fixture.ts";

const retry = {
  policy: undefined,
  duration: undefined,
  maxInterval: undefined,
  maxRetries: undefined,
  matching: undefined,
};
const breaker = { maxRequests: undefined, interval: undefined, timeout: undefined, trip: undefined };

describe("timeouts", () => {
  test.each([
    ["30s", 30_000],
    ["250", 250],
    ["1m30s", 90_000],
    ["0", undefined],
    ["-1s", undefined],
    ["1000h", TIMER_MS_MAX],
  ])("%s is %j ms", (text, ms) => {
    expect(decodeTimeout("t", text)).toBe(ms);
  });

  it("that are no durations are refused in Go's words", () => {
    expect(() => decodeTimeout("general", "soon")).toThrow(
      'invalid duration "general", soon: time: invalid duration "soon"',
    );
  });
});

describe("retries", () => {
  it("are constant, every five seconds, for ever, where nothing is said", () => {
    expect(decodeRetry("r", retry).backoff).toEqual({ policy: "constant", intervalMs: 5_000, retriesMax: undefined });
  });

  it("are exponential with Dapr's fixed beginning and end, whatever the duration", () => {
    const document = { ...retry, policy: "Exponential", duration: "10s", maxInterval: "15s", maxRetries: 7 };
    expect(decodeRetry("r", document).backoff).toEqual({
      policy: "exponential",
      initialIntervalMs: 500,
      multiplier: 1.5,
      randomizationFactor: 0.5,
      intervalMaxMs: 15_000,
      elapsedMaxMs: 900_000,
      retriesMax: 7,
    });
  });

  test.each([
    [
      { policy: "linear" },
      `* error decoding 'policy': invalid PolicyType "linear": unexpected back off policy type: linear`,
    ],
    [{ duration: "soon" }, `* error decoding 'duration': invalid duration "soon"`],
    [{ maxInterval: "1x" }, `* error decoding 'maxInterval': invalid duration "1x"`],
  ])("%j is refused", (more, fault) => {
    expect(() => decodeRetry("r", { ...retry, ...more })).toThrow(
      `invalid retry configuration "r": 1 error(s) decoding:\n\n${fault}`,
    );
  });

  it("tell all that is wrong at once", () => {
    expect(() => decodeRetry("r", { ...retry, duration: "a", maxInterval: "b" })).toThrow(
      `invalid retry configuration "r": 2 error(s) decoding:\n\n* error decoding 'duration': invalid duration "a"\n* error decoding 'maxInterval': invalid duration "b"`,
    );
  });
});

describe("circuit breakers", () => {
  it("let one call through after a minute where nothing is said", async () => {
    expect(await decodeBreaker("cb", breaker)).toEqual({
      name: "cb",
      requestsMax: 1,
      intervalMs: 0,
      timeoutMs: 60_000,
      trip: undefined,
    });
  });

  it("have what is written", async () => {
    const rule = await decodeBreaker("cb", { maxRequests: 3, interval: "0", timeout: "45s", trip: "requests > 2" });
    expect(rule).toMatchObject({ requestsMax: 3, intervalMs: 0, timeoutMs: 45_000 });
    expect(rule.trip?.({ requests: 3n })).toBe(true);
  });

  test.each([
    [{ trip: "1 +" }, `error decoding 'trip': invalid Expr "1 +": `],
    [{ maxRequests: -1 }, "cannot parse 'maxRequests', -1.000000 overflows uint"],
    [{ timeout: "x" }, `error decoding 'timeout': invalid duration "x"`],
  ])("%j are refused", async (more, fault) => {
    await expect(decodeBreaker("cb", { ...breaker, ...more })).rejects.toThrow(fault);
  });
});

describe("a resource that cannot be read", () => {
  test.each([
    [{ timeouts: { t: "soon" } }, 'invalid duration "t", soon: time: invalid duration "soon"'],
    [{ retries: { r: { matching: { httpStatusCodes: "11" } } } }, "invalid pattern 11, start code 11 is not valid"],
    [{ apps: { a: { circuitBreakerCacheSize: -1 } } }, "must provide a positive size"],
    [{ actors: { a: { circuitBreaker: "cb" } } }, "actor circuit breakers must include scope"],
    [{ actors: { a: { circuitBreaker: "cb", circuitBreakerScope: "all" } } }, 'unknown circuit breaker scope "all"'],
    [{ actors: { a: { circuitBreakerCacheSize: -1 } } }, "must provide a positive size"],
  ])("is told about and not counted: %j", async (more, reason) => {
    const { lines, counts } = await setUpResiliency(document(more));
    expect(lines).toEqual([
      "info: Loading Resiliency configuration: myresiliency",
      `error: Could not read resiliency policy myresiliency: ${reason}`,
    ]);
    expect(counts).toEqual([]);
  });

  it("keeps what stands before the mistake, and the others", async () => {
    const { resiliency, counts } = await setUpResiliency(
      document({
        timeouts: { DefaultAppTimeoutPolicy: "1s" },
        retries: { r: { duration: "x" } },
        apps: { orders: {} },
      }),
      document({ name: "other" }),
    );
    expect(resiliency.app("orders")).toBeDefined();
    expect(counts).toEqual(["loaded other "]);
  });

  it("takes actors' targets that are right", async () => {
    const { counts } = await setUpResiliency(
      document({
        actors: { a: { circuitBreaker: "cb", circuitBreakerScope: "both", timeout: "t" }, b: { retry: "r" } },
      }),
    );
    expect(counts).toEqual(["loaded myresiliency "]);
  });
});
