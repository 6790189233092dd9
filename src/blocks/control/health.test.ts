import { expect, it } from "vitest";
import { createHealth } from "./health.ts";

it("is ready when every target is, and never without one", () => {
  const health = createHealth();
  expect(health.isReady).toBe(false);
  const runtime = health.addTarget("runtime");
  const grpc = health.addTarget("grpc-api-server");
  expect(health.unhealthyTargets()).toEqual(["grpc-api-server", "runtime"]);
  runtime.ready();
  expect(health.isReady).toBe(false);
  grpc.ready();
  expect(health.isReady).toBe(true);
  expect(health.unhealthyTargets()).toEqual([]);
  runtime.notReady();
  expect(health.isReady).toBe(false);
  expect(health.unhealthyTargets()).toEqual(["runtime"]);
});

it("refuses a second target of one name", () => {
  const health = createHealth();
  health.addTarget("runtime");
  expect(() => health.addTarget("runtime")).toThrow("health target runtime exists already");
});
