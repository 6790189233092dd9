import { describe, expect, it, test, vi } from "vitest";
import { document, settle, setUpResiliency } from "./policy.fixture.ts";
import type { Policy } from "./types.ts";

const fail = (): Promise<never> => Promise.reject(new Error("no"));

/** Which of the timeouts a policy has, by how long it lets a call run. */
async function timeoutOf(
  policy: Policy | undefined,
  clock: { advance(ms: number): void },
): Promise<number | undefined> {
  if (policy === undefined) return undefined;
  let ended = false;
  policy.run(() => new Promise<never>(() => {})).catch(() => (ended = true));
  for (let ms = 1; ms < 100; ms++) {
    clock.advance(1);
    await settle();
    if (ended) return ms;
  }
  return undefined;
}

describe("targets", () => {
  it("have the policies that they name, and nothing else has any", async () => {
    const { resiliency, clock } = await setUpResiliency(
      document({
        timeouts: { fast: "3", slow: "7ms" },
        apps: { orders: { timeout: "fast" } },
        components: { store: { inbound: { timeout: "slow" }, outbound: { timeout: "fast" } } },
      }),
    );
    expect(await timeoutOf(resiliency.app("orders")?.endpoint("m"), clock)).toBe(3);
    expect(resiliency.app("orders.other")).toBeUndefined();
    expect(await timeoutOf(resiliency.component("store", "Pubsub", "inbound"), clock)).toBe(7);
    expect(await timeoutOf(resiliency.component("store", "Pubsub", "outbound"), clock)).toBe(3);
    expect(resiliency.component("other", "Pubsub", "outbound")).toBeUndefined();
    expect([resiliency.hasAppPolicy("orders"), resiliency.hasAppPolicy("store")]).toEqual([true, false]);
  });

  it("without a policy that does anything have none", async () => {
    const { resiliency } = await setUpResiliency(
      document({
        timeouts: { none: "0s", DefaultTimeoutPolicy: "1s" },
        apps: { orders: { timeout: "none" }, empty: {} },
        components: { store: { outbound: {} } },
      }),
    );
    expect(resiliency.app("orders")).toBeUndefined();
    expect(resiliency.app("empty")).toBeUndefined();
    expect(resiliency.component("store", "Statestore", "outbound")).toBeUndefined();
    expect(resiliency.component("store", "Statestore", "inbound")).toBeUndefined();
  });

  it("that name what is not there are told about", async () => {
    const { lines } = await setUpResiliency(
      document({ apps: { orders: { retry: "often" } }, components: { store: { inbound: { circuitBreaker: "cb" } } } }),
    );
    expect(lines.slice(1)).toEqual([
      'warn: resiliency target app "orders" names the retry policy "often", which is not defined; it has no effect',
      'warn: resiliency target component "store" (inbound) names the circuit breaker policy "cb", which is not defined; it has no effect',
    ]);
  });

  it("of a later resource replace those of an earlier one, with policies of either", async () => {
    const { resiliency, clock, counts } = await setUpResiliency(
      document({ name: "one", timeouts: { t: "3" }, apps: { orders: { timeout: "none" } } }),
      document({ name: "two", namespace: "ns", apps: { orders: { timeout: "t" } } }),
    );
    expect(await timeoutOf(resiliency.app("orders")?.endpoint("m"), clock)).toBe(3);
    expect(counts.slice(0, 2)).toEqual(["loaded one ", "loaded two ns"]);
  });
});

describe("defaults by name", () => {
  test.each([
    ["DefaultStatestoreComponentOutboundTimeoutPolicy", 1],
    ["DefaultComponentOutboundTimeoutPolicy", 2],
    ["DefaultComponentTimeoutPolicy", 3],
    ["DefaultTimeoutPolicy", 4],
  ])("the most specific one counts: %s", async (name, ms) => {
    const all = {
      DefaultStatestoreComponentOutboundTimeoutPolicy: "1",
      DefaultComponentOutboundTimeoutPolicy: "2",
      DefaultComponentTimeoutPolicy: "3",
      DefaultTimeoutPolicy: "4",
      DefaultPubsubComponentOutboundTimeoutPolicy: "5",
      DefaultStatestoreComponentInboundTimeoutPolicy: "6",
      DefaultAppTimeoutPolicy: "7",
    };
    const left = Object.entries(all).filter(([, each]) => Number(each) >= ms);
    const { resiliency, clock } = await setUpResiliency(document({ timeouts: Object.fromEntries(left) }));
    expect(left[0]?.[0]).toBe(name);
    expect(await timeoutOf(resiliency.component("s", "Statestore", "outbound"), clock)).toBe(ms);
  });

  it("are for apps without a target", async () => {
    const { resiliency, clock } = await setUpResiliency(
      document({
        timeouts: { DefaultAppTimeoutPolicy: "2", DefaultTimeoutPolicy: "9", own: "5" },
        apps: { orders: { timeout: "own" } },
      }),
    );
    expect(await timeoutOf(resiliency.app("any")?.endpoint("m"), clock)).toBe(2);
    expect(await timeoutOf(resiliency.app("orders")?.endpoint("m"), clock)).toBe(5);
    expect(resiliency.hasAppPolicy("any")).toBe(false);
    expect(resiliency.app("any")).toBe(resiliency.app("any"));
  });

  it("are found one by one for timeout, retry and circuit breaker", async () => {
    const { resiliency, counts } = await setUpResiliency(
      document({
        timeouts: { DefaultTimeoutPolicy: "1s" },
        retries: { DefaultComponentRetryPolicy: {} },
        circuitBreakers: { DefaultLockComponentOutboundCircuitBreakerPolicy: {} },
      }),
    );
    await resiliency.component("l", "Lock", "outbound")?.run(async () => {});
    expect(counts.slice(1)).toEqual([
      "executed timeout outbound Lock_l",
      "executed retry outbound Lock_l",
      "executed circuitbreaker outbound Lock_l closed",
    ]);
  });
});

describe("circuit breakers", () => {
  const circuitBreakers = { cb: { trip: "consecutiveFailures >= 1" } };

  it("are one for each endpoint of an app, as many as are kept", async () => {
    const { resiliency, lines } = await setUpResiliency(
      document({ circuitBreakers, apps: { orders: { circuitBreaker: "cb", circuitBreakerCacheSize: 2 } } }),
    );
    const orders = resiliency.app("orders");
    await expect(orders?.endpoint("pay").run(fail)).rejects.toThrow("no");
    await expect(orders?.endpoint("pay").run(fail)).rejects.toThrow("circuit breaker is open");
    await expect(orders?.endpoint("ship").run(fail)).rejects.toThrow("no");
    expect(orders?.endpoint("list")).toBeDefined();
    await expect(orders?.endpoint("pay").run(fail)).rejects.toThrow("no");
    expect(lines).toContain('info: Circuit breaker "orders:pay" changed state from closed to open');
  });

  it("are one for both directions of a component, whoever asks for it", async () => {
    const { resiliency } = await setUpResiliency(
      document({
        circuitBreakers,
        components: { kafka: { inbound: { circuitBreaker: "cb" }, outbound: { circuitBreaker: "cb" } } },
      }),
    );
    await expect(resiliency.component("kafka", "Pubsub", "outbound")?.run(fail)).rejects.toThrow("no");
    await expect(resiliency.component("kafka", "Pubsub", "inbound")?.run(fail)).rejects.toThrow(
      "circuit breaker is open",
    );
    await expect(resiliency.component("kafka", "Pubsub", "outbound")?.run(fail)).rejects.toThrow(
      "circuit breaker is open",
    );
  });
});

describe("built-in policies", () => {
  async function attemptsOf(policy: Policy, clock: { advance(ms: number): void }): Promise<number[]> {
    const waits: number[] = [];
    const attempt = vi.fn(fail);
    let ended = false;
    policy.run(attempt).catch(() => (ended = true));
    await settle();
    for (let waited = 0; !ended && waited < 20_000; waited += 50) {
      const before = attempt.mock.calls.length;
      clock.advance(50);
      await settle();
      if (attempt.mock.calls.length > before) waits.push(waited + 50 - waits.reduce((sum, each) => sum + each, 0));
    }
    return waits;
  }

  test.each([
    ["DaprBuiltInServiceRetries", [1000, 1000, 1000]],
    ["DaprBuiltInActorRetries", [1000, 1000, 1000]],
    ["DaprBuiltInActorReminderRetries", []],
    ["DaprBuiltInActorNotFoundRetries", [1000, 1000, 1000, 1000, 1000]],
    ["DaprBuiltInInitializationRetries", [500, 750, 1000]],
  ] as const)("%s waits %j", async (name, waits) => {
    const { resiliency, clock, counts } = await setUpResiliency();
    expect(await attemptsOf(resiliency.builtIn(name), clock)).toEqual(waits);
    expect(counts).toEqual([]);
  });

  it("can be overridden, with three retries at least", async () => {
    const { resiliency, clock, lines } = await setUpResiliency(
      document({
        retries: {
          DaprBuiltInServiceRetries: { policy: "constant", duration: "100ms", maxRetries: 4 },
          DaprBuiltInActorRetries: { policy: "constant", duration: "100ms", maxRetries: 1 },
          DaprBuiltInActorReminderRetries: { policy: "constant", duration: "100ms" },
        },
      }),
    );
    expect(await attemptsOf(resiliency.builtIn("DaprBuiltInServiceRetries"), clock)).toEqual([100, 100, 100, 100]);
    expect(await attemptsOf(resiliency.builtIn("DaprBuiltInActorRetries"), clock)).toEqual([100, 100, 100]);
    expect(await attemptsOf(resiliency.builtIn("DaprBuiltInActorReminderRetries"), clock)).toEqual([100, 100, 100]);
    expect(lines.filter((line) => line.includes("minimum"))).toEqual([
      "warn: Attempted override of DaprBuiltInActorRetries did not meet minimum retry count, resetting to 3.",
      "warn: Attempted override of DaprBuiltInActorReminderRetries did not meet minimum retry count, resetting to 3.",
    ]);
  });

  it("are protected where a retry would not be safe to change", async () => {
    const { resiliency, clock, lines } = await setUpResiliency(
      document({ retries: { DaprBuiltInActorNotFoundRetries: { duration: "1ms", maxRetries: 9 } } }),
    );
    expect(await attemptsOf(resiliency.builtIn("DaprBuiltInActorNotFoundRetries"), clock)).toHaveLength(5);
    expect(lines).toContain(
      "warn: Attempted to override protected policy DaprBuiltInActorNotFoundRetries which is not allowed. Ignoring provided policy and using default.",
    );
  });
});
