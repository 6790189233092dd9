import { expect, test } from "vitest";
import { Cancellation, type CancelSignal } from "./cancel-signal.ts";

test("everybody who still listens hears of it once, with the reason at hand", () => {
  const cancellation = new Cancellation();
  const heard: string[] = [];
  const listeners = ["a", "b", "c", "d"].map((name) => () => heard.push(`${name} ${cancellation.reason.message}`));
  for (const listener of listeners) cancellation.addEventListener("abort", listener);
  cancellation.addEventListener("abort", listeners[1] as () => void);
  cancellation.removeEventListener("abort", listeners[0] as () => void);
  cancellation.removeEventListener("abort", listeners[2] as () => void);
  expect(cancellation.aborted).toBe(false);
  cancellation.abort(new Error("why"));
  cancellation.abort(new Error("again"));
  expect(cancellation).toMatchObject({ aborted: true, reason: { message: "why" } });
  expect(heard.sort()).toEqual(["b why", "d why"]);
  cancellation.addEventListener("abort", () => heard.push("late"));
  expect(heard).toHaveLength(2);
});

test("an AbortSignal is one", () => {
  const controller = new AbortController();
  const signal: CancelSignal = controller.signal;
  let heard = 0;
  signal.addEventListener("abort", () => (heard += 1), { once: true });
  controller.abort(new Error("gone"));
  expect([heard, signal.aborted, signal.reason.message]).toEqual([1, true, "gone"]);
});
