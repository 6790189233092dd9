import { expect, it } from "vitest";
import { VirtualClock } from "../kit/virtual-clock.fixture.ts";
import type { ComponentResource } from "../resources/component.ts";
import { Conditions } from "./conditions.ts";

function setUp() {
  const clock = new VirtualClock(0);
  const conditions = new Conditions(clock);
  const resource = { name: "store", type: "state.a", version: "v1" } as ComponentResource;
  const now = (): unknown[] => conditions.list().map(({ condition, reason, sinceMs }) => [condition, reason, sinceMs]);
  return { clock, conditions, resource, now };
}

it("follows a component through its life, and says since when", () => {
  const { clock, conditions, resource, now } = setUp();
  conditions.starting(resource);
  expect(conditions.list()).toEqual([
    { name: "store", type: "state.a", version: "v1", condition: "starting", reason: "", sinceMs: 0 },
  ]);
  const report = conditions.reporterOf(resource);
  clock.advance(5);
  conditions.started(resource);
  expect(now()).toEqual([["ready", "", 5]]);
  clock.advance(5);
  report("ready");
  expect(now()).toEqual([["ready", "", 5]]);
  report("degraded", "lost");
  clock.advance(5);
  report("degraded", "still lost");
  expect(now()).toEqual([["degraded", "lost", 10]]);
  report("ready", "a reason nobody needs");
  expect(now()).toEqual([["ready", "", 15]]);
  conditions.delete("store");
  report("degraded");
  expect(now()).toEqual([]);
});

it("heeds what is reported before the component is in use only then", () => {
  const { conditions, resource, now } = setUp();
  conditions.starting(resource);
  conditions.reporterOf(resource)("degraded", "lost already");
  expect(now()).toEqual([["starting", "", 0]]);
  conditions.started(resource);
  expect(now()).toEqual([["degraded", "lost already", 0]]);
});

it("keeps the time of the first failure while a component is tried again, and the last reason", () => {
  const { clock, conditions, resource, now } = setUp();
  conditions.starting(resource);
  const report = conditions.reporterOf(resource);
  conditions.failed(resource, "refused");
  clock.advance(5);
  conditions.starting(resource);
  expect(now()).toEqual([["failed", "refused", 0]]);
  conditions.failed(resource, "timeout");
  expect(now()).toEqual([["failed", "timeout", 0]]);
  const next = conditions.reporterOf(resource);
  conditions.started(resource);
  report("degraded", "the instance that failed");
  expect(now()).toEqual([["ready", "", 5]]);
  next("degraded", "the instance in use");
  expect(now()).toEqual([["degraded", "the instance in use", 5]]);
});

it("does not hear an instance whose resource was replaced", () => {
  const { conditions, resource, now } = setUp();
  conditions.starting(resource);
  const report = conditions.reporterOf(resource);
  conditions.started(resource);
  conditions.waiting({ ...resource }, "vault");
  report("degraded", "old");
  expect(now()).toEqual([["waiting", "for secret store vault", 0]]);
});
