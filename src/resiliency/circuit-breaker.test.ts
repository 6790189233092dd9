import { describe, expect, it } from "vitest";
import { compileCel } from "../kit/cel.ts";
import type { Logger } from "../kit/logger.ts";
import { silentLogger } from "../kit/silent-logger.ts";
import { VirtualClock } from "../kit/virtual-clock.fixture.ts";
import { type BreakerRule, CircuitBreaker } from "./circuit-breaker.ts";

const rule: BreakerRule = { name: "cb", requestsMax: 1, intervalMs: 0, timeoutMs: 5_000, trip: undefined };

function setUp(more: Partial<BreakerRule> = {}) {
  const clock = new VirtualClock();
  const lines: string[] = [];
  const logger: Logger = { ...silentLogger, info: (line) => void lines.push(line) };
  const breaker = new CircuitBreaker("orders:pay", { ...rule, ...more }, clock, logger);
  const call = (succeeded: boolean): void => breaker.end(breaker.begin(), succeeded);
  const fail = (times: number): void => {
    for (let each = 0; each < times; each++) call(false);
  };
  return { clock, breaker, call, fail, lines };
}

async function tripping(expression: string): Promise<Partial<BreakerRule>> {
  const [trip] = await compileCel([expression]);
  return { trip };
}

describe("a closed breaker", () => {
  it("opens after more than five failures in a row", () => {
    const { breaker, call, fail, lines } = setUp();
    fail(5);
    call(true);
    fail(5);
    expect(breaker.state).toBe("closed");
    fail(1);
    expect(breaker.state).toBe("open");
    expect(() => breaker.begin()).toThrow("circuit breaker is open");
    expect(lines).toEqual(['Circuit breaker "orders:pay" changed state from closed to open']);
  });

  it("opens when its expression says so", async () => {
    const { breaker, fail, call } = setUp(await tripping("consecutiveFailures >= 2 && requests > 3"));
    fail(2);
    call(true);
    fail(1);
    expect(breaker.state).toBe("closed");
    fail(1);
    expect(breaker.state).toBe("open");
  });

  it("counts what its expression asks about", async () => {
    const { breaker, fail, call } = setUp(
      await tripping("requests == 4 && totalSuccesses == 1 && totalFailures == 3 && consecutiveSuccesses == 0"),
    );
    fail(2);
    call(true);
    fail(1);
    expect(breaker.state).toBe("open");
  });

  it.each(["requests", "unknown > 3", "totalFailures / (requests - requests) > 1"])(
    "never opens by %s, which is no answer",
    async (expression) => {
      const { breaker, fail } = setUp(await tripping(expression));
      fail(50);
      expect(breaker.state).toBe("closed");
    },
  );

  it("forgets its counts after each interval", () => {
    const { breaker, clock, fail } = setUp({ intervalMs: 1_000 });
    fail(5);
    clock.advance(1_001);
    fail(5);
    expect(breaker.state).toBe("closed");
    fail(1);
    expect(breaker.state).toBe("open");
  });

  it("does not count calls that began before it forgot", () => {
    const { breaker, clock, fail } = setUp({ intervalMs: 1_000 });
    const early = breaker.begin();
    clock.advance(1_001);
    fail(5);
    breaker.end(early, false);
    expect(breaker.state).toBe("closed");
  });
});

describe("an open breaker", () => {
  it("lets calls through again after its timeout, as many as it may at once", () => {
    const { breaker, clock, fail } = setUp({ requestsMax: 2 });
    fail(6);
    clock.advance(5_000);
    expect(breaker.state).toBe("open");
    clock.advance(1);
    expect(breaker.state).toBe("half-open");
    breaker.begin();
    breaker.begin();
    expect(() => breaker.begin()).toThrow("too many requests");
  });

  it("closes after as many good calls", () => {
    const { breaker, clock, call, fail, lines } = setUp({ requestsMax: 2 });
    fail(6);
    clock.advance(5_001);
    call(true);
    expect(breaker.state).toBe("half-open");
    call(true);
    expect(breaker.state).toBe("closed");
    expect(lines.slice(1)).toEqual([
      'Circuit breaker "orders:pay" changed state from open to half-open',
      'Circuit breaker "orders:pay" changed state from half-open to closed',
    ]);
  });

  it("stays open for another timeout after a bad one", () => {
    const { breaker, clock, fail } = setUp();
    fail(6);
    clock.advance(5_001);
    fail(1);
    expect(breaker.state).toBe("open");
    clock.advance(5_000);
    expect(breaker.state).toBe("open");
    clock.advance(1);
    expect(breaker.state).toBe("half-open");
  });
});
