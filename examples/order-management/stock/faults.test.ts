import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Fate, fatesOf, parseFaults, serveFaults } from "./faults.ts";

const faults = { share: 0.3, stallSeconds: 60, calls: 1_000, seed: 1 };

describe("fatesOf", () => {
  it("hits the share, one half with failures and one with stalls, and the same calls for a seed", () => {
    const draw = (seed: number): Fate[] => Array.from({ length: 1_000 }, fatesOf({ ...faults, seed }));
    const fates = draw(1);
    const count = (fate: Fate): number => fates.filter((one) => one === fate).length;
    expect(count("failed")).toBeGreaterThan(110);
    expect(count("failed")).toBeLessThan(190);
    expect(count("stalled")).toBeGreaterThan(110);
    expect(count("stalled")).toBeLessThan(190);
    expect(draw(1)).toEqual(fates);
    expect(draw(2)).not.toEqual(fates);
  });

  it("hits nothing after so many calls", () => {
    const next = fatesOf({ ...faults, share: 1, calls: 3 });
    expect(Array.from({ length: 5 }, next).map((fate) => fate === "served")).toEqual([false, false, false, true, true]);
  });
});

it("takes faults as JSON, and none for none", () => {
  expect(parseFaults(undefined)).toBeUndefined();
  expect(parseFaults("")).toBeUndefined();
  expect(parseFaults('{"share": 0.3, "stallSeconds": 60, "seed": 1}')).toEqual({
    share: 0.3,
    stallSeconds: 60,
    seed: 1,
  });
  expect(() => parseFaults('{"share": 3, "stallSeconds": 60, "seed": 1}')).toThrow("share");
  expect(() => parseFaults("some")).toThrow(SyntaxError);
});

describe("serveFaults", () => {
  // A delay of timers/promises is not virtual: it is looked at by what has not happened yet.
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  function handlerOf(share: number): (method: string, path: string) => { served: boolean; status: number | undefined } {
    let handle: Parameters<Parameters<typeof serveFaults>[0]["use"]>[0] | undefined;
    serveFaults({ use: (given) => (handle = given) }, { ...faults, share });
    return (method, path) => {
      const seen = { served: false, status: undefined as number | undefined };
      const response = { status: (code: number) => ({ json: () => void (seen.status = code) }) };
      handle?.({ method, path }, response, () => (seen.served = true));
      return seen;
    };
  }

  it("answers calls with 500 or not for now, and whatever is no call at once", () => {
    const ill = handlerOf(1);
    const calls = Array.from({ length: 20 }, () => ill("PUT", "/actors/StockActor/10002/method/move"));
    expect(calls.every(({ served }) => !served)).toBe(true);
    expect(new Set(calls.map(({ status }) => status))).toEqual(new Set([500, undefined]));
    for (const [method, path] of [
      ["GET", "/healthz"],
      ["GET", "/dapr/config"],
      ["DELETE", "/actors/StockActor/10002"],
      ["PUT", "/actors/StockActor/10002/method/open"],
      ["POST", "/open"],
    ]) {
      expect(ill(method ?? "", path ?? "")).toEqual({ served: true, status: undefined });
    }
  });

  it("lets everything through without a share", () => {
    expect(handlerOf(0)("PUT", "/actors/StockActor/10002/method/move")).toEqual({ served: true, status: undefined });
  });
});
