import { expect, test } from "vitest";
import { Budget } from "./budget.ts";

test("it is used up beyond its burst, and stays so", () => {
  const budget = new Budget(3, 1);
  expect([budget.spend(1), budget.spend(2), budget.spend(1), budget.spend(0)]).toEqual([true, true, false, false]);
});

test("time and work give back, never more than was spent", () => {
  const budget = new Budget(10, 4);
  budget.spend(10);
  budget.passed(500);
  expect(budget.spend(2)).toBe(true);
  expect(budget.spend(1)).toBe(false);
  budget.earn(1_000);
  expect(budget.spend(10)).toBe(true);
  expect(budget.spend(0.5)).toBe(false);
});
