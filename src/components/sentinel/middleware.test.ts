import { describe, expect, it } from "vitest";
import { nextTurn } from "../../kit/turn.ts";
import { openMiddleware, plainRequest } from "../spi/middleware.fixture.ts";
import { wholeBody } from "../spi/whole-body.ts";
import { sentinelManifest } from "./manifest.ts";

const resource = "GET:/v1.0/nodeapp/healthz";
const target = "/v1.0/nodeapp/healthz";
const open = (field: string, ...rules: readonly object[]) =>
  openMiddleware(sentinelManifest, { appName: "test-app", [field]: JSON.stringify(rules) });
type Open = Awaited<ReturnType<typeof open>>;

async function passes({ ask }: Open, times: number, of = target): Promise<number> {
  let passed = 0;
  for (let round = 0; round < times; round += 1) {
    const { status } = await ask(of);
    expect([200, 429]).toContain(status);
    passed += status === 200 ? 1 : 0;
  }
  return passed;
}

describe("flow rules", () => {
  it("let so many requests of a second through, of that resource alone", async () => {
    const one = await open("flowRules", { resource, threshold: 10 });
    expect(await passes(one, 100)).toBe(10);
    expect(await passes(one, 100, "/other")).toBe(100);
    const refused = await one.ask(target);
    expect([refused.status, refused.text, refused.passed]).toEqual([429, "Too Many Requests", undefined]);
    one.clock.advance(1_000);
    expect(await passes(one, 100)).toBe(10);
  });

  it("hold for requests that come at the same time", async () => {
    const one = await open("flowRules", { resource, threshold: 3 });
    const answers = await Promise.all(Array.from({ length: 10 }, () => one.ask(target)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(3);
  });

  it("count over the interval that they name", async () => {
    const one = await open("flowRules", { resource, threshold: 3, statIntervalInMs: 5_000 });
    expect(await passes(one, 5)).toBe(3);
    one.clock.advance(4_000);
    expect(await passes(one, 5)).toBe(0);
    one.clock.advance(1_000);
    expect(await passes(one, 5)).toBe(3);
  });

  it("count another resource", async () => {
    const one = await open("flowRules", { resource, threshold: 2, relationStrategy: 1, refResource: "GET:/busy" });
    expect(await passes(one, 5)).toBe(5);
    expect(await passes(one, 2, "/busy")).toBe(2);
    expect(await passes(one, 5)).toBe(0);
  });

  it("spread requests out, up to the longest queue", async () => {
    const one = await open("flowRules", { resource, threshold: 10, controlBehavior: 1, maxQueueingTimeMs: 250 });
    const statuses: number[] = [];
    for (let round = 0; round < 5; round += 1) {
      void one.ask(target).then(({ status }) => statuses.push(status));
    }
    await nextTurn();
    expect(statuses.toSorted((a, b) => a - b)).toEqual([200, 429, 429]);
    one.clock.advance(100);
    await nextTurn();
    one.clock.advance(100);
    await nextTurn();
    expect(statuses.slice(3)).toEqual([200, 200]);
  });

  it("let less through after a quiet time, and all once warm", async () => {
    const one = await open("flowRules", {
      resource,
      threshold: 30,
      tokenCalculateStrategy: 1,
      warmUpPeriodSec: 4,
      warmUpColdFactor: 3,
    });
    one.clock.advance(600_000);
    const seconds: number[] = [];
    for (let second = 0; second < 12; second += 1) {
      seconds.push(await passes(one, 100));
      one.clock.advance(1_000);
    }
    expect(seconds[0]).toBeLessThanOrEqual(12);
    expect(seconds.at(-1)).toBe(30);
    expect(seconds).toEqual(seconds.toSorted((a, b) => a - b));
  });
});

describe("circuit breaker rules", () => {
  const rule = { resource, minRequestAmount: 2, statIntervalMs: 1_000, retryTimeoutMs: 3_000, threshold: 0.5 };

  it("open on slow answers, probe after the pause, and close or stay open by it", async () => {
    const one = await open("circuitBreakerRules", { ...rule, strategy: 0, maxAllowedRtMs: 50 });
    const slow = async (tookMs: number): Promise<number> => {
      const streamed = (async function* () {
        yield Buffer.from("x");
        one.clock.advance(tookMs);
      })();
      const { status } = await one.ask(target, {}, { body: streamed });
      return status;
    };
    expect([await slow(51), await slow(51), await slow(1)]).toEqual([200, 200, 429]);
    one.clock.advance(3_000);
    expect([await slow(51), await slow(1)]).toEqual([200, 429]);
    one.clock.advance(3_000);
    expect([await slow(50), await slow(1), await slow(1)]).toEqual([200, 200, 200]);
  });

  it("open on failed answers, by share or number", async () => {
    for (const [strategy, threshold] of [
      [1, 0.5],
      [2, 1],
    ]) {
      const one = await open("circuitBreakerRules", { ...rule, strategy, threshold });
      const status = async (answer: number): Promise<number> => (await one.ask(target, {}, { status: answer })).status;
      expect([await status(200), await status(500), await status(200)]).toEqual([200, 500, 429]);
    }
  });

  it("a probe that another rule refuses is not the probe", async () => {
    const two = JSON.stringify(
      [rule, { ...rule, retryTimeoutMs: 6_000 }].map((one) => ({ ...one, strategy: 2, threshold: 1 })),
    );
    const one = await openMiddleware(sentinelManifest, { circuitBreakerRules: two });
    const status = async (answer: number): Promise<number> => (await one.ask(target, {}, { status: answer })).status;
    expect([await status(500), await status(500), await status(200)]).toEqual([500, 500, 429]);
    one.clock.advance(3_000);
    expect(await status(200)).toBe(429);
    one.clock.advance(3_000);
    expect([await status(200), await status(200)]).toEqual([200, 200]);
  });
});

it("isolation rules let so many requests be under way, streamed answers included", async () => {
  const { middleware } = await open("isolationRules", { resource, threshold: 1 });
  const ask = () =>
    middleware.handle(plainRequest(target), async () => ({
      status: 200,
      headers: [],
      body: (async function* () {
        yield Buffer.from("x");
      })(),
    }));
  const first = await ask();
  expect((await ask()).status).toBe(429);
  await wholeBody(first.body, 0);
  const second = await ask();
  expect(second.status).toBe(200);
  await (second.body as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]().return?.();
  await expect(middleware.handle(plainRequest(target), () => Promise.reject(new Error("down")))).rejects.toThrow(
    "down",
  );
  expect((await ask()).status).toBe(200);
});

it.each([
  [{ metricType: 3, triggerCount: 2 }, 2],
  [{ metricType: 2, triggerCount: 0 }, 0],
  [{ metricType: 1, triggerCount: 0 }, 0],
  [{ metricType: 0, triggerCount: 1e9 }, 5],
  [{ metricType: 0, triggerCount: 0, strategy: 1 }, 5],
])("system rule %j lets %i of 5 requests through, whatever they are for", async (rule, passed) => {
  const one = await open("systemRules", rule);
  let count = 0;
  for (let round = 0; round < 5; round += 1) count += await passes(one, 1, `/${round}`);
  expect(count).toBe(passed);
});

describe("rules that are none", () => {
  it.each([
    ["flowRules", '[{"resource":"a","strategy":1,"statIntervalInMs":-1}]', "statIntervalInMs cannot be -1"],
    ["flowRules", "{}", "the rules are no JSON array"],
    ["flowRules", "[1]", "rule 1 is no object"],
    [
      "flowRules",
      '[{"resource":"a","tokenCalculateStrategy":2}]',
      "tokenCalculateStrategy 2 (by the memory in use) is not supported",
    ],
    ["systemRules", '[{"metricType":4,"triggerCount":0.5}]', "metricType 4 (CPU usage) is not supported"],
    ["isolationRules", "nope", "fail to load sentinel isolation rules 'nope': "],
  ])("%s %s do not start", async (field, rules, message) => {
    await expect(openMiddleware(sentinelManifest, { [field]: rules })).rejects.toThrow(message);
  });

  it.each([
    ["circuitBreakerRules", { resource, strategy: 1, "not-existing-property": -1 }],
    ["flowRules", { resource: "" }],
    ["isolationRules", { resource, threshold: 0 }],
    ["systemRules", { metricType: 9 }],
  ])("%s %j are left out and named", async (field, rule) => {
    const one = await open(field, rule);
    expect(one.logged).toHaveLength(1);
    expect(one.logged[0]).toMatch(/^warn: Ignoring invalid /);
    expect(await passes(one, 3)).toBe(3);
  });

  it("hotspot rules are checked and have no effect", async () => {
    const one = await open("hotSpotParamRules", {
      resource,
      metricType: 1,
      paramIndex: 1,
      threshold: 0,
      durationInSec: 1,
    });
    expect(one.logged).toEqual([expect.stringContaining("hotSpotParamRules have no effect")]);
    expect(await passes(one, 3)).toBe(3);
  });
});
