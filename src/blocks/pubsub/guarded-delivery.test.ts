import { describe, expect, it, vi } from "vitest";
import type { DeliveryOutcome } from "../../app/types.ts";
import { ConsumerGoneError } from "../../components/spi/pubsub.ts";
import { Cancellation } from "../../kit/cancel-signal.ts";
import { document, drive, setUpResiliency } from "../../resiliency/policy.fixture.ts";
import { deliverBulkGuarded, deliverGuarded } from "./guarded-delivery.ts";

const DONE: DeliveryOutcome = { kind: "success" };
const DROPPED: DeliveryOutcome = { kind: "drop", reason: "dropped" };
const AGAIN: DeliveryOutcome = { kind: "retry", reason: "RETRY" };
const http = (code: number): DeliveryOutcome => ({
  kind: "retry",
  reason: `status ${code}`,
  status: { kind: "http", code },
});

async function setUp(matching?: object, timeouts: Readonly<Record<string, string>> = {}) {
  const retry = { duration: "0", maxRetries: 3, ...(matching === undefined ? {} : { matching }) };
  const { resiliency, clock } = await setUpResiliency(
    document({ timeouts, retries: { DefaultPubsubComponentInboundRetryPolicy: retry } }),
  );
  return { policy: resiliency.component("p", "Pubsub", "inbound")!, clock, signal: new Cancellation() };
}

describe("an event under a policy", () => {
  it.each<[string, DeliveryOutcome[], DeliveryOutcome, number]>([
    ["is taken at once", [DONE], DONE, 1],
    ["is delivered again until it is taken", [AGAIN, http(500), DONE], DONE, 3],
    ["is not delivered again when it is dropped", [AGAIN, DROPPED], DROPPED, 2],
    ["is not delivered again for a status that does not match", [http(500), http(404)], http(404), 2],
    ["is given back when nothing is left", [AGAIN, AGAIN, AGAIN, AGAIN], AGAIN, 4],
  ])("%s", async (_what, answers, outcome, times) => {
    const { policy, clock, signal } = await setUp({ httpStatusCodes: "500-599" });
    const attempt = vi.fn(async () => answers[attempt.mock.calls.length - 1] ?? DONE);
    expect(await drive(clock, deliverGuarded(policy, signal, attempt))).toEqual(outcome);
    expect(attempt).toHaveBeenCalledTimes(times);
  });

  it("is wanted again when the app's time is over", async () => {
    const { policy, clock, signal } = await setUp(undefined, { DefaultTimeoutPolicy: "5ms" });
    const attempt = vi.fn(() => new Promise<never>(() => {}));
    expect(await drive(clock, deliverGuarded(policy, signal, attempt), 1)).toEqual({
      kind: "retry",
      reason: "context deadline exceeded",
    });
    expect(attempt).toHaveBeenCalledTimes(4);
  });

  it("is not delivered again to nobody", async () => {
    const { policy, signal } = await setUp();
    const attempt = vi.fn(() => Promise.reject(new ConsumerGoneError()));
    await expect(deliverGuarded(policy, signal, attempt)).rejects.toBeInstanceOf(ConsumerGoneError);
    expect(attempt).toHaveBeenCalledTimes(1);
  });

  it("is given back when the subscription ends while it waits", async () => {
    const { policy, signal } = await setUp({ httpStatusCodes: "500" });
    const delivered = deliverGuarded(policy, signal, async () => AGAIN);
    await new Promise((resolve) => setImmediate(resolve));
    signal.abort(new Error("drained"));
    expect(await delivered).toEqual({ kind: "retry", reason: "drained" });
  });
});

describe("a list of events under a policy", () => {
  it("takes only those to the app again that it wants again", async () => {
    const { policy, clock, signal } = await setUp();
    const seen: string[] = [];
    const outcomes = deliverBulkGuarded(policy, signal, ["a", "b", "c"], async (entries) => {
      seen.push(entries.join(""));
      return entries.map((entry) => (entry === "a" ? DONE : entry === "b" && seen.length > 1 ? DROPPED : AGAIN));
    });
    expect(await drive(clock, outcomes)).toEqual([DONE, DROPPED, AGAIN]);
    expect(seen).toEqual(["abc", "bc", "c", "c"]);
  });

  it("wants all of them again that are left when the app's time is over", async () => {
    const { policy, clock, signal } = await setUp(undefined, { DefaultTimeoutPolicy: "5ms" });
    let calls = 0;
    const outcomes = deliverBulkGuarded(policy, signal, ["a", "b"], async (entries) => {
      calls++;
      return calls === 1 ? entries.map((entry) => (entry === "a" ? DONE : AGAIN)) : new Promise<never>(() => {});
    });
    expect(await drive(clock, outcomes, 1)).toEqual([DONE, { kind: "retry", reason: "context deadline exceeded" }]);
    expect(calls).toBe(4);
  });

  it("does not hear a late answer", async () => {
    const { policy, clock, signal } = await setUp(undefined, { DefaultTimeoutPolicy: "5ms" });
    const late = Promise.withResolvers<readonly DeliveryOutcome[]>();
    let calls = 0;
    const outcomes = deliverBulkGuarded(policy, signal, ["a", "b"], async () => {
      calls++;
      if (calls === 1) return late.promise;
      late.resolve([DONE, DROPPED]);
      await late.promise;
      return [DROPPED, DONE];
    });
    expect(await drive(clock, outcomes, 1)).toEqual([DROPPED, DONE]);
  });
});
