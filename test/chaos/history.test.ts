import { expect, test } from "vitest";
import { type CounterCall, type Fault, judge } from "./history.ts";

const call = (op: number, host: string | undefined, startMs = op * 100): CounterCall => ({
  actor: 0,
  op,
  startMs,
  endMs: startMs + 10,
  host,
  error: host === undefined ? "no answer" : undefined,
});
const RANKING = [["first", "a", "b"]];
const killOf = (host: string, startMs: number): Fault => ({ host, kind: "kill", startMs, endMs: startMs + 50 });

test("what was acknowledged is there once, what failed is there once at most", () => {
  const history = [call(0, "a"), call(1, undefined), call(2, "a"), call(3, undefined)];
  expect(judge(history, [], [[0, 1, 2]], RANKING)).toMatchObject({ lost: [], doubled: [], unknown: [] });
  expect(judge(history, [], [[0, 0, 1, 7]], RANKING)).toMatchObject({
    lost: ["actor 0, operation 2"],
    doubled: ["actor 0, operation 0"],
    unknown: ["actor 0, operation 7"],
  });
});

test("an error counts where the actor stayed at a host to which nothing was done", () => {
  const history = [call(0, "a"), call(1, undefined), call(2, "a")];
  const errors = (calls: readonly CounterCall[], faults: readonly Fault[]): number =>
    judge(calls, faults, [[0, 1, 2]], RANKING).unmovedErrors.length;
  expect(errors(history, [killOf("b", 100)])).toBe(1);
  expect(errors(history, [killOf("a", 100)])).toBe(0);
  // It came, took the actor, and was gone again.
  expect(errors(history, [killOf("first", 100)])).toBe(0);
  expect(errors([call(0, "a"), call(1, undefined), call(2, "b")], [])).toBe(0);
});

test("recovery is from the fault to the next answer, for the actors of its host", () => {
  const history = [call(0, "a"), call(1, undefined), call(2, "b")];
  expect(judge(history, [killOf("a", 90), killOf("c", 90)], [[0, 2]], RANKING).recovery.get("kill")).toEqual({
    count: 1,
    p50: 120,
    p99: 120,
    max: 120,
  });
});
