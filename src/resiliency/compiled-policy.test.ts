import { describe, expect, it, vi } from "vitest";
import { Cancellation, type CancelSignal } from "../kit/cancel-signal.ts";
import { document, settle, setUpResiliency } from "./policy.fixture.ts";
import type { FailureStatus, Policy } from "./types.ts";

const target = (names: object) => ({ components: { store: { outbound: names } } });

async function setUp(policies: object, names: object) {
  const test = await setUpResiliency(document({ ...policies, ...target(names) }));
  const policy = test.resiliency.component("store", "Statestore", "outbound") as Policy;
  return { ...test, policy };
}

const retries = (more: object = {}) => ({ retries: { r: { duration: "1s", maxRetries: 3, ...more } } });

describe("retries", () => {
  it("run a call until it succeeds, and say so once", async () => {
    const { policy, clock, lines, counts } = await setUp(retries(), { retry: "r" });
    const numbers: number[] = [];
    const result = policy.run(async (_signal, number) => {
      numbers.push(number);
      if (number < 3) throw new Error(`no ${number}`);
      return "yes";
    });
    await settle();
    expect(numbers).toEqual([1]);
    clock.advance(999);
    await settle();
    expect(numbers).toEqual([1]);
    clock.advance(1);
    await settle();
    clock.advance(1_000);
    expect(await result).toBe("yes");
    expect(numbers).toEqual([1, 2, 3]);
    expect(lines.slice(1)).toEqual([
      "warn: Error processing operation component[store] output. Retrying in 1s…",
      "debug: Error for operation component[store] output was: no 1",
      "info: Recovered processing operation component[store] output after 3 attempts",
    ]);
    expect(counts.slice(1)).toEqual([
      "executed retry outbound Statestore_store",
      "activated retry outbound Statestore_store",
    ]);
  });

  it("end with the last error", async () => {
    const { policy, clock } = await setUp(retries({ duration: "0" }), { retry: "r" });
    const attempt = vi.fn(async (_signal: CancelSignal, number: number) => Promise.reject(new Error(`no ${number}`)));
    const result = policy.run(attempt);
    const refused = expect(result).rejects.toThrow("no 4");
    for (let each = 0; each < 3; each++) {
      await settle();
      clock.advance(0);
    }
    await refused;
    expect(attempt).toHaveBeenCalledTimes(4);
    expect(policy.repeats).toBe(true);
  });

  it("are not done for what no attempt can mend", async () => {
    const { policy } = await setUp(retries(), { retry: "r" });
    const attempt = vi.fn(() => Promise.reject(new Error("gone")));
    await expect(policy.run(attempt, { isPermanent: () => true })).rejects.toThrow("gone");
    await expect(policy.run(attempt, { repeatable: false })).rejects.toThrow("gone");
    expect(attempt).toHaveBeenCalledTimes(2);
  });

  it("are not done without any", async () => {
    const { policy } = await setUp(retries({ maxRetries: 0 }), { retry: "r" });
    await expect(policy.run(() => Promise.reject(new Error("gone")))).rejects.toThrow("gone");
    expect(policy.repeats).toBe(false);
  });

  it.each<[FailureStatus | undefined, number]>([
    [{ kind: "http", code: 503 }, 4],
    [{ kind: "http", code: 404 }, 1],
    [{ kind: "grpc", code: 14 }, 4],
    [{ kind: "grpc", code: 5 }, 1],
    [{ kind: "none" }, 4],
    [undefined, 4],
  ])("match the error's status: %j is attempted %i times", async (status, times) => {
    const matching = { httpStatusCodes: "500-599", gRPCStatusCodes: "14" };
    const { policy, clock } = await setUp(retries({ duration: "0", matching }), { retry: "r" });
    const attempt = vi.fn(() => Promise.reject(new Error("no")));
    const refused = expect(policy.run(attempt, { statusOf: () => status })).rejects.toThrow("no");
    for (let each = 0; each < 4; each++) {
      await settle();
      clock.advance(0);
    }
    await refused;
    expect(attempt).toHaveBeenCalledTimes(times);
  });

  it("give the last bad answer when none is good, and free the others", async () => {
    const { policy, clock, lines } = await setUp(retries({ maxRetries: 1 }), { retry: "r" });
    const discard = vi.fn();
    const result = policy.run(async (_signal, number) => `answer ${number}`, {
      judge: () => ({ kind: "http", code: 500 }),
      discard,
    });
    await settle();
    clock.advance(1_000);
    expect(await result).toBe("answer 2");
    expect(discard.mock.calls).toEqual([["answer 1"]]);
    expect(lines).toContain("debug: Error for operation component[store] output was: status 500");
  });

  it("end with the caller's reason when it goes away while waiting", async () => {
    const { policy, clock } = await setUp(retries(), { retry: "r" });
    const caller = new Cancellation();
    const attempt = vi.fn((signal: CancelSignal) => Promise.reject(new Error(String(signal === caller))));
    const result = policy.run(attempt, { signal: caller });
    const refused = expect(result).rejects.toThrow("caller left");
    await settle();
    caller.abort(new Error("caller left"));
    await refused;
    expect(attempt).toHaveBeenCalledTimes(1);
    expect(clock.pendingTimers).toBe(0);
  });

  it("do not begin once the caller has gone", async () => {
    const { policy, clock } = await setUp(retries(), { retry: "r" });
    const caller = new Cancellation();
    const result = policy.run(
      async () => {
        caller.abort(new Error("caller left"));
        throw new Error("no");
      },
      { signal: caller },
    );
    await expect(result).rejects.toThrow("caller left");
    expect(clock.pendingTimers).toBe(0);
  });
});

describe("a timeout", () => {
  const timeouts = { timeouts: { t: "5s" } };

  it("ends each attempt and tells it so", async () => {
    const { policy, clock, counts } = await setUp(
      { ...timeouts, ...retries({ maxRetries: 1 }) },
      { timeout: "t", retry: "r" },
    );
    const signals: CancelSignal[] = [];
    const result = policy.run((signal) => {
      signals.push(signal);
      return new Promise<never>(() => {});
    });
    const refused = expect(result).rejects.toMatchObject({ kind: "timeout", message: "context deadline exceeded" });
    clock.advance(5_000);
    await settle();
    clock.advance(1_000);
    await settle();
    clock.advance(5_000);
    await refused;
    expect(signals.map((signal) => [signal.aborted, signal.reason.message])).toEqual([
      [true, "context deadline exceeded"],
      [true, "context deadline exceeded"],
    ]);
    expect(counts.filter((count) => count.startsWith("activated"))).toEqual([
      "activated timeout outbound Statestore_store",
      "activated retry outbound Statestore_store",
    ]);
  });

  it("does nothing to an attempt in time, and leaves no timer behind", async () => {
    const { policy, clock, counts } = await setUp(timeouts, { timeout: "t" });
    expect(await policy.run(async () => "in time")).toBe("in time");
    await expect(policy.run(() => Promise.reject(new Error("no")))).rejects.toThrow("no");
    const throwing = (): Promise<never> => {
      throw new Error("at once");
    };
    await expect(policy.run(throwing)).rejects.toThrow("at once");
    expect(clock.pendingTimers).toBe(0);
    expect(counts.some((count) => count.startsWith("activated"))).toBe(false);
  });

  it("frees an answer that comes too late", async () => {
    const { policy, clock } = await setUp(timeouts, { timeout: "t" });
    const late = Promise.withResolvers<string>();
    const discard = vi.fn();
    const refused = expect(policy.run(() => late.promise, { discard })).rejects.toThrow("context deadline exceeded");
    clock.advance(5_000);
    await refused;
    late.resolve("late");
    await settle();
    expect(discard.mock.calls).toEqual([["late"]]);
  });

  it("does not keep the caller's cancellation from the attempt", async () => {
    const { policy, clock } = await setUp(timeouts, { timeout: "t" });
    const caller = new Cancellation();
    let seen: CancelSignal | undefined;
    const result = policy.run(
      (signal) => {
        seen = signal;
        return new Promise<never>(() => {});
      },
      { signal: caller },
    );
    caller.abort(new Error("caller left"));
    await expect(result).rejects.toThrow("caller left");
    expect(seen?.aborted).toBe(true);
    expect(clock.pendingTimers).toBe(0);
    await expect(policy.run(async () => "never", { signal: caller })).rejects.toThrow("caller left");
  });

  it("is not known by attempts of a policy without one", async () => {
    const { policy } = await setUp(retries(), { retry: "r" });
    expect(await policy.run(async (signal) => signal.aborted)).toBe(false);
  });
});

describe("a circuit breaker", () => {
  const breakers = { circuitBreakers: { cb: { timeout: "5s", trip: "consecutiveFailures >= 2" } } };
  const fail = (): Promise<never> => Promise.reject(new Error("no"));

  it("lets nothing through once it is open, and retries do not wait for it", async () => {
    const { policy, clock, counts, lines } = await setUp(
      { ...breakers, ...retries({ duration: "0" }) },
      { circuitBreaker: "cb", retry: "r" },
    );
    const attempt = vi.fn(fail);
    const refused = expect(policy.run(attempt)).rejects.toMatchObject({ kind: "breakerOpen" });
    for (let each = 0; each < 3; each++) {
      await settle();
      clock.advance(0);
    }
    await refused;
    expect(attempt).toHaveBeenCalledTimes(2);
    expect(lines).toContain('info: Circuit breaker "cb-store" changed state from closed to open');
    expect(counts).toContain("executed circuitbreaker outbound Statestore_store closed");
    expect(counts).toContain("activated circuitbreaker outbound Statestore_store open");
    await expect(policy.run(attempt)).rejects.toThrow("circuit breaker is open");
    expect(counts).toContain("executed circuitbreaker outbound Statestore_store open");
    expect(attempt).toHaveBeenCalledTimes(2);
  });

  it("counts bad answers and permanent errors too", async () => {
    const { policy } = await setUp(breakers, { circuitBreaker: "cb" });
    expect(await policy.run(async () => "bad", { judge: () => ({ kind: "http", code: 404 }), repeatable: false })).toBe(
      "bad",
    );
    await expect(policy.run(fail, { isPermanent: () => true })).rejects.toThrow("no");
    await expect(policy.run(async () => "good")).rejects.toThrow("circuit breaker is open");
  });

  it("closes when a call through the half open one is good", async () => {
    const { policy, clock, counts } = await setUp(breakers, { circuitBreaker: "cb" });
    await expect(policy.run(fail)).rejects.toThrow("no");
    await expect(policy.run(fail)).rejects.toThrow("no");
    clock.advance(5_001);
    const first = Promise.withResolvers<string>();
    const running = policy.run(() => first.promise);
    await expect(policy.run(fail)).rejects.toThrow("too many requests");
    first.resolve("good");
    expect(await running).toBe("good");
    expect(counts.slice(-3)).toEqual([
      "executed circuitbreaker outbound Statestore_store half-open",
      "executed circuitbreaker outbound Statestore_store half-open",
      "activated circuitbreaker outbound Statestore_store closed",
    ]);
    expect(await policy.run(async () => "again")).toBe("again");
  });

  it("counts an attempt that ran out of time", async () => {
    const { policy, clock } = await setUp(
      { ...breakers, timeouts: { t: "10" } },
      { circuitBreaker: "cb", timeout: "t" },
    );
    for (let each = 0; each < 2; each++) {
      const refused = expect(policy.run(() => new Promise<never>(() => {}))).rejects.toThrow(
        "context deadline exceeded",
      );
      clock.advance(10);
      await refused;
    }
    await expect(policy.run(async () => "good")).rejects.toThrow("circuit breaker is open");
  });
});
