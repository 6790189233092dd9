import { describe, expect, it } from "vitest";
import { GRPC_STATUS } from "../../errors/grpc-status.ts";
import { silentLogger } from "../../kit/silent-logger.ts";
import { VirtualClock } from "../../kit/virtual-clock.fixture.ts";
import { GrpcError } from "../../net/grpc/status.ts";
import { PlacementMetrics } from "../../telemetry/metrics/placement-metrics.ts";
import { MetricRegistry } from "../../telemetry/metrics/registry.ts";
import { FakeHost, type HostFacts, hostOf, settle } from "./fake-host.fixture.ts";
import { placementServiceOn } from "./placement-service.fixture.ts";
import type { PlacementServiceOptions } from "./placement-service.ts";

function virtualPlacement(more: Partial<PlacementServiceOptions> = {}) {
  const clock = new VirtualClock();
  const service = placementServiceOn(clock, more);
  const join = (id: string, entities?: readonly string[], host?: HostFacts): FakeHost =>
    new FakeHost((first, sink) => service.open(first, sink), hostOf(id, entities, host));
  return { service, clock, join };
}

it("keeps namespaces apart, each with versions of its own", () => {
  const { service, join } = virtualPlacement();
  const [a, b] = [join("a"), join("b", ["cat"], { namespace: "other" })];
  expect(b.news()).toEqual(["lock 1"]);
  a.news();
  b.acknowledge("lock", 1, "other");
  expect([a.news(), b.news()]).toEqual([[], ["update 1: cat@b"]]);
  expect([...service.state().keys()]).toEqual(["default", "other"]);
  b.stream.close();
  expect([...service.state().keys()]).toEqual(["default"]);
  expect(a.news()).toEqual([]);
});

describe("what is refused", () => {
  const text = (action: () => unknown): string => {
    try {
      action();
    } catch (error) {
      return GrpcError.is(error) ? `${error.code}: ${error.message}` : String(error);
    }
    return "taken";
  };

  it.each([
    ["no id", { id: "" }, "3: host ID and namespace must be provided"],
    ["no namespace", { namespace: "" }, "3: host ID and namespace must be provided"],
    [
      "a version without an operation",
      { operation: 0, version: 1n },
      "3: both operation and version must be set or both must be unset",
    ],
    [
      "an internal type of another app",
      { entities: ["cat", "dapr.internal.default.b.workflow"] },
      "7: entity dapr.internal.default.b.workflow is not allowed for app ID a in namespace default",
    ],
    [
      "an internal type of another namespace",
      { entities: ["dapr.internal.other.a.workflow"] },
      "7: entity dapr.internal.other.a.workflow is not allowed for app ID a in namespace default",
    ],
    ["a short internal type", { entities: ["dapr.internal"] }, /^7: entity dapr.internal is not allowed/],
    ["too many types", { entities: Array.from({ length: 10_001 }, (_, i) => `t${i}`) }, /^8: .*the limit is 10000/],
  ] as const)("%s", (_, more, expected) => {
    const { join } = virtualPlacement();
    expect(text(() => join("a", ["cat"], more as object))).toMatch(
      typeof expected === "string" ? new RegExp(`^${expected}$`) : expected,
    );
  });

  it("lets internal types of the own app stand, and what only looks like one", () => {
    const { join } = virtualPlacement();
    const types = ["dapr.internal.default.a.workflow", "dapr.internals", "daprinternal", "dapr"];
    expect(join("a", types).news()).toEqual(["lock 1"]);
  });

  it("a stream that changes its namespace, which ends it", () => {
    const { service, join } = virtualPlacement();
    const a = join("a");
    expect(text(() => a.stream.report(hostOf("a", ["cat"], { namespace: "other" })))).toBe(
      "3: the namespace of a stream cannot change from default to other",
    );
    expect(service.state().size).toBe(0);
  });

  it("streams beyond the limit, until one has gone", () => {
    const { join } = virtualPlacement({ streamsMax: 2 });
    const a = join("a");
    join("b");
    expect(text(() => join("c"))).toMatch(/^8: this placement service has reached its limit of 2 streams/);
    a.stream.close();
    a.stream.close();
    join("c");
    expect(text(() => join("d"))).toMatch(/^8: /);
  });
});

it("ends all streams with one error, those that wait too", () => {
  const { service, clock, join } = virtualPlacement({ coalesceWindowMs: 100, streamsMax: 2 });
  const [a, waiting] = [join("a"), join("waiting")];
  a.news();
  service.endAll(new GrpcError(GRPC_STATUS.FAILED_PRECONDITION, "gone"));
  expect([a.news(), waiting.news()]).toEqual([["end 9: gone"], ["end 9: gone"]]);
  a.stream.report(hostOf("a", ["dog"]));
  a.stream.close();
  expect(service.state().size).toBe(0);
  expect(clock.pendingTimers).toBe(0);
  expect([join("a").news(), join("b").news()]).toEqual([["lock 1"], []]);
});

it("counts sidecars, and those with actor types, by namespace", () => {
  const registry = new MetricRegistry({ prefix: "dapr_", logger: silentLogger });
  const metrics = new PlacementMetrics(registry);
  const counts = (): string[] => registry.render().match(/^dapr_placement_.*_total\{.*$/gm) ?? [];
  const { join } = virtualPlacement({ metrics });
  expect(counts()).toEqual([]);
  const a = join("a");
  const idle = join("idle", []);
  settle(a, idle);
  expect(counts()).toEqual([
    'dapr_placement_actor_runtimes_total{host_namespace="default"} 1',
    'dapr_placement_runtimes_total{host_namespace="default"} 2',
  ]);
  a.stream.close();
  idle.stream.close();
  expect(counts()).toEqual([
    'dapr_placement_actor_runtimes_total{host_namespace="default"} 0',
    'dapr_placement_runtimes_total{host_namespace="default"} 0',
  ]);
});
