import { expect, test } from "vitest";
import { silentLogger } from "../../kit/silent-logger.ts";
import { AccessControlMetrics } from "./access-control-metrics.ts";
import { MetricRegistry } from "./registry.ts";

test("decisions are counted by the caller's identity, whose default counted, and how it ended", () => {
  const registry = new MetricRegistry({ prefix: "dapr_", logger: silentLogger });
  const metrics = new AccessControlMetrics(registry);
  const shop = { trustDomain: "public", namespace: "default", appId: "shop" };
  metrics.decided(shop, "app", true);
  metrics.decided(shop, "app", true);
  // A second connection of the same app.
  metrics.decided({ ...shop }, "app", true);
  metrics.decided(shop, "app", false);
  metrics.decided(shop, "global", true);
  metrics.decided(undefined, "global", false);
  const lines = registry
    .render()
    .split("\n")
    .filter((line) => line.startsWith("dapr_runtime_acl"));
  const labels = '{app_id="shop",namespace="default",trustDomain="public"}';
  expect(lines.toSorted()).toEqual([
    `dapr_runtime_acl_app_policy_action_allowed_total${labels} 3`,
    `dapr_runtime_acl_app_policy_action_blocked_total${labels} 1`,
    `dapr_runtime_acl_global_policy_action_allowed_total${labels} 1`,
    'dapr_runtime_acl_global_policy_action_blocked_total{app_id="",namespace="",trustDomain=""} 1',
  ]);
});
