import { readFile } from "node:fs/promises";
import { expect, it } from "vitest";
import { component, IN_MEMORY, temporaryFolder } from "../harness/resources.ts";
import { startTestSidecar, type TestSidecar } from "../harness/test-sidecar.ts";

const METRICS = { enabled: true, port: 0, listenAddress: "127.0.0.1" };

async function resiliencyMetrics(one: TestSidecar): Promise<readonly string[]> {
  const text = await (await fetch(`http://127.0.0.1:${one.sidecar.ports.metrics ?? 0}/`)).text();
  return text.split("\n").filter((line) => line.startsWith("dapr_resiliency_"));
}

it("a component's breaker opens, answers in Dapr's words, and shows in the metrics", async () => {
  await using folder = await temporaryFolder();
  const secrets = await folder.write("secrets.json", '{"one":"1"}');
  const resiliency = `
apiVersion: dapr.io/v1alpha1
kind: Resiliency
metadata: { name: guard, namespace: shop }
spec:
  policies:
    circuitBreakers: { twice: { maxRequests: 1, timeout: 1h, trip: consecutiveFailures >= 2 } }
  targets:
    components:
      vault: { outbound: { circuitBreaker: twice } }
---
`;
  await using one = await startTestSidecar({
    metrics: METRICS,
    resources: resiliency + component("vault", "secretstores.local.file", { secretsFile: secrets }),
  });
  const reasons: string[] = [];
  for (const secret of ["one", "two", "two", "one"]) {
    const response = await one.fetch(`/v1.0/secrets/vault/${secret}`);
    reasons.push(await response.text());
  }
  expect(reasons[0]).toBe('{"one":"1"}');
  expect(reasons[2]).not.toContain("circuit breaker is open");
  expect(JSON.parse(reasons[3] ?? "")).toEqual({
    errorCode: "ERR_SECRET_GET",
    message: "failed getting secret with key one from secret store vault: circuit breaker is open",
  });
  const labels = (status: string): string =>
    `{app_id="test-app",flow_direction="outbound",name="guard",namespace="shop",policy="circuitbreaker",status="${status}",target="Secretstore_vault"}`;
  expect(await resiliencyMetrics(one)).toEqual([
    `dapr_resiliency_activations_total${labels("open")} 1`,
    `dapr_resiliency_cb_state${labels("closed")} 0`,
    `dapr_resiliency_cb_state${labels("half-open")} 0`,
    `dapr_resiliency_cb_state${labels("open")} 1`,
    `dapr_resiliency_cb_state${labels("unknown")} 0`,
    `dapr_resiliency_count${labels("closed")} 3`,
    `dapr_resiliency_count${labels("open")} 1`,
    'dapr_resiliency_loaded{app_id="test-app",name="guard",namespace="shop"} 1',
  ]);
});

it("the guide's example is read without a word against it", async () => {
  const guide = await readFile(new URL("../../docs/guides/resiliency.md", import.meta.url), "utf8");
  const example = /```yaml\n(?<yaml>.*?)```/s.exec(guide)?.groups?.["yaml"] ?? "";
  await using one = await startTestSidecar({ appId: "checkout", metrics: METRICS, resources: example });
  expect(one.logger.lines.filter(({ level }) => level === "warn" || level === "error")).toEqual([]);
  expect(await resiliencyMetrics(one)).toEqual([
    'dapr_resiliency_loaded{app_id="checkout",name="shop",namespace=""} 1',
  ]);
});

it("a Resiliency that cannot be read, or is for another app, changes nothing but the log", async () => {
  const resources = `
apiVersion: dapr.io/v1alpha1
kind: Resiliency
metadata: { name: broken }
spec:
  policies:
    retries:
      DefaultAppRetryPolicy: { policy: constant, duration: 10ms, matching: { gRPCStatusCodes: 400, httpStatusCodes: 11 } }
---
apiVersion: dapr.io/v1alpha1
kind: Resiliency
metadata: { name: elsewhere }
scopes: [another-app]
spec:
  policies: { timeouts: { DefaultTimeoutPolicy: soon } }
---
`;
  await using one = await startTestSidecar({ metrics: METRICS, resources: resources + IN_MEMORY });
  expect(
    one.logger.lines
      .filter(({ message }) => message.includes("esiliency"))
      .map(({ level, message }) => `${level}: ${message}`),
  ).toEqual([
    "info: Loading Resiliency configuration: broken",
    "error: Could not read resiliency policy broken: invalid pattern 11, start code 11 is not valid",
  ]);
  expect((await one.fetch("/v1.0/state/store/k")).status).toBe(204);
  expect(await resiliencyMetrics(one)).toEqual([]);
});
