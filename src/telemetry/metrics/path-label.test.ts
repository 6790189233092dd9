import { describe, expect, it } from "vitest";
import { legacyPathLabel, PathLabels } from "./path-label.ts";

describe("legacyPathLabel", () => {
  it.each([
    ["", ""],
    ["/", "/"],
    ["/healthz", "/healthz"],
    ["v1.0/healthz", "/v1.0/healthz"],
    ["/v1.0/state/mystore/key", "/v1.0/state/mystore"],
    ["/v1.0/state/mystore", "/v1.0/state/mystore"],
    ["//v1.0//secrets/vault/name/x", "/v1.0/secrets/vault"],
    ["/v1.0/actors/Demo/1/method/foo", "/v1.0/actors/Demo/{id}/method"],
    ["/v1.0/actors/Demo/1/timers/t/x", "/v1.0/actors/Demo/{id}/timers"],
    ["/v1.0/actors/Demo/1", "/v1.0/actors/Demo/1"],
    ["/actors/Demo/1/method/m1", "actors/Demo/{id}/method/m1"],
    ["/actors/Demo/1", "actors/Demo/{id}"],
    ["/v1.0/workflows/dapr/123", "/v1.0/workflows/dapr/{instanceId}"],
    ["/v1.0/workflows/dapr", "/v1.0/workflows/dapr"],
    ["/v1.0/workflows/dapr/wf/start", "/v1.0/workflows/dapr/wf/start"],
    ["/v1.0/workflows/dapr/123/terminate", "/v1.0/workflows/dapr/{instanceId}/terminate"],
    ["/v1.0/workflows/dapr/123/raiseEvent/ev", "/v1.0/workflows/dapr/{instanceId}/raiseEvent/{eventName}"],
    ["/v1.0/workflows/dapr/123/raiseEvent/", "/v1.0/workflows/dapr/{instanceId}/raiseEvent"],
    ["/v1.0/invoke/myapp/method/a/b/c", "/v1.0/invoke/myapp/method/a/b/c"],
  ])("%j → %j", (path, label) => {
    expect(legacyPathLabel(path)).toBe(label);
  });
});

const PATTERNS = [
  "/v1.0/invoke/myapp/method/basket",
  "/v1.0/invoke/myapp/method/orders/1234",
  "/v1.0/invoke/myapp/method/orders/{orderID}",
  "/v1.0/invoke/myapp/method/orders",
  "/v1.0/state/mystore/{key}",
];

describe("PathLabels", () => {
  it("shows no path with low cardinality, but the app's own", () => {
    const labels = new PathLabels({ increasedCardinality: false, pathMatching: [] });
    expect(labels.ofTarget("/v1.0/invoke/myapp/method/hi")).toBe("");
    expect(labels.ofAppPath("/dapr/config")).toBe("/dapr/config");
    expect(labels.ofAppPath("dapr/config")).toBe("/dapr/config");
    expect(labels.ofAppPath("/hi")).toBe("");
  });

  it("decodes and drops the query", () => {
    const labels = new PathLabels({ increasedCardinality: true, pathMatching: [] });
    expect(labels.ofTarget("/v1.0/invoke/my%2Dapp/method/hi?a=/b")).toBe("/v1.0/invoke/my-app/method/hi");
    expect(labels.ofTarget("/v1.0/invoke/%zz/method/hi")).toBe("/v1.0/invoke/%zz/method/hi");
  });

  it.each([
    ["/v1.0/invoke/myapp/method/orders/1111", "/v1.0/invoke/myapp/method/orders/{orderID}"],
    ["/v1.0/invoke/myapp/method/orders/1234", "/v1.0/invoke/myapp/method/orders/1234"],
    ["//v1.0/invoke/myapp/method/orders/9999", "/v1.0/invoke/myapp/method/orders/{orderID}"],
    ["/v1.0/state/mystore/foo", "/v1.0/state/mystore/{key}"],
  ])("shows the pattern that fits %s", (target, label) => {
    for (const increasedCardinality of [true, false]) {
      expect(new PathLabels({ increasedCardinality, pathMatching: PATTERNS }).ofTarget(target)).toBe(label);
    }
  });

  it("shows other paths as they are with high cardinality only", () => {
    const target = "/v1.0/invoke/myapp/method/items/123";
    expect(new PathLabels({ increasedCardinality: true, pathMatching: PATTERNS }).ofTarget(target)).toBe(target);
    expect(new PathLabels({ increasedCardinality: false, pathMatching: PATTERNS }).ofTarget(target)).toBe("");
    expect(new PathLabels({ increasedCardinality: false, pathMatching: ["/", "/x"] }).ofTarget(target)).toBe(
      "/v1.0/invoke/{app_id}/method/",
    );
  });

  it("takes a pattern for invocations of the app too", () => {
    const labels = new PathLabels({ increasedCardinality: false, pathMatching: ["/orders/{orderID}"] });
    expect(labels.ofTarget("/v1.0/invoke/myapp/method/orders/1")).toBe("/v1.0/invoke/{app_id}/method/orders/{orderID}");
    expect(labels.ofAppPath("/orders/1")).toBe("/orders/{orderID}");
  });
});
