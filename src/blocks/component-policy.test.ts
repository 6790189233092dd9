import { describe, expect, it, vi } from "vitest";
import { ComponentError } from "../components/spi/errors.ts";
import { Cancellation, type CancelSignal } from "../kit/cancel-signal.ts";
import { ChangingResiliency } from "../resiliency/changing-resiliency.ts";
import { document, drive, setUpResiliency } from "../resiliency/policy.fixture.ts";
import { guarded, PoliciesByName } from "./component-policy.ts";

const policies = () =>
  setUpResiliency(
    document({
      timeouts: { DefaultTimeoutPolicy: "5ms" },
      retries: { DefaultRetryPolicy: { duration: "0", maxRetries: 2 } },
      circuitBreakers: { DefaultCircuitBreakerPolicy: { trip: "consecutiveFailures >= 3" } },
    }),
  );

describe("a component's call under a policy", () => {
  it("is repeated, but not for an etag that does not fit", async () => {
    const { resiliency, clock } = await policies();
    const policy = resiliency.component("s", "Statestore", "outbound");
    const failing = vi.fn(() => Promise.reject(new ComponentError("unavailable", "no")));
    await expect(drive(clock, guarded(policy, failing))).rejects.toThrow("no");
    expect(failing).toHaveBeenCalledTimes(3);
    const stale = vi.fn(() => Promise.reject(new ComponentError("etagMismatch", "stale")));
    await expect(guarded(resiliency.component("t", "Statestore", "outbound"), stale)).rejects.toThrow("stale");
    expect(stale).toHaveBeenCalledTimes(1);
  });

  it("fails as a call of a component does when its time is over or its breaker open", async () => {
    const { resiliency, clock } = await policies();
    const policy = resiliency.component("s", "Statestore", "outbound");
    const hanging = guarded(policy, () => new Promise<never>(() => {}));
    const late = await drive(clock, hanging, 1).catch((error: unknown) => error);
    expect(late).toBeInstanceOf(ComponentError);
    expect(late).toMatchObject({ kind: "timeout", message: "context deadline exceeded" });
    await expect(guarded(policy, async () => "good")).rejects.toMatchObject({
      name: "ComponentError",
      kind: "unavailable",
      message: "circuit breaker is open",
    });
  });

  it("goes straight through without one, with the caller's signal", async () => {
    const signal = new Cancellation();
    const call = vi.fn(async (given: CancelSignal, number: number) => [given === signal, number]);
    expect(await guarded(undefined, call, { signal })).toEqual([true, 1]);
  });
});

it("policies by name are looked up once", async () => {
  const component = vi.fn(() => undefined);
  const byName = new PoliciesByName({ component }, "Binding", "inbound");
  expect([byName.of("a"), byName.of("a"), byName.of("b")]).toEqual([undefined, undefined, undefined]);
  expect(component.mock.calls).toEqual([
    ["a", "Binding", "inbound"],
    ["b", "Binding", "inbound"],
  ]);
});

it("policies by name are looked up again when they have been exchanged", async () => {
  const patient = await setUpResiliency(
    document({ retries: { DefaultRetryPolicy: { duration: "0", maxRetries: 2 } } }),
  );
  const none = await setUpResiliency(document({}));
  const changing = new ChangingResiliency(none.resiliency);
  const byName = new PoliciesByName(changing, "Binding", "inbound");
  expect(byName.of("a")).toBeUndefined();
  changing.exchange(patient.resiliency);
  const policy = byName.of("a");
  expect(policy?.repeats).toBe(true);
  expect(byName.of("a")).toBe(policy);
  changing.exchange(none.resiliency);
  expect(byName.of("a")).toBeUndefined();
});
