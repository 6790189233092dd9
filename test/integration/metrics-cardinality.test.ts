import { describe, expect, it } from "vitest";
import { configuration, IN_MEMORY } from "../harness/resources.ts";
import { startTestApp } from "../harness/test-app.ts";
import { startTestSidecar } from "../harness/test-sidecar.ts";
import { until } from "../harness/until.ts";

const METRICS = { enabled: true, port: 0, listenAddress: "127.0.0.1" };
const CALLS = ["/v1.0/invoke/test-app/method/orders/1", "/v1.0/state/store/key", "/v1.0/healthz"];

/** Labels and values of all series of the named metrics after the calls, under these settings of `spec.metrics.http`. */
async function seriesUnder(http: string, names: readonly string[], calls = CALLS): Promise<readonly string[]> {
  await using app = await startTestApp({ config: "{}" });
  const one = await startTestSidecar({
    appPort: app.port,
    resources: IN_MEMORY,
    metrics: METRICS,
    configuration: configuration(`  metrics:\n    latencyDistributionBuckets: [5, 50]\n    http: ${http}\n`),
  });
  try {
    await until("it is ready", async () => (await one.fetch("/v1.0/healthz/outbound")).status === 204);
    await until("the app was asked", () => app.at("/dapr/config").length > 0);
    for (const path of calls) {
      await (await one.fetch(path)).arrayBuffer();
    }
    const text = await (await fetch(`http://127.0.0.1:${one.sidecar.ports.metrics ?? 0}/`)).text();
    return text
      .split("\n")
      .filter((line) => names.some((name) => line.startsWith(`dapr_${name}{`)))
      .map((line) => line.replace('app_id="test-app",', ""))
      .filter((line) => !line.includes("/healthz/outbound"));
  } finally {
    await one.stop();
  }
}

const SERVER = ["http_server_request_count"];
const CLIENT = ["http_client_completed_count"];

describe("spec.metrics.http", () => {
  it("shows paths with increased cardinality, without keys", async () => {
    const seen = await seriesUnder("{ increasedCardinality: true }", [...SERVER, "http_server_response_count"]);
    for (const name of ["request", "response"]) {
      expect(seen).toContain(
        `dapr_http_server_${name}_count{method="GET",path="/v1.0/invoke/test-app/method/orders/1",status="200"} 1`,
      );
      expect(seen).toContain(`dapr_http_server_${name}_count{method="GET",path="/v1.0/state/store",status="204"} 1`);
    }
  });

  it("shows no paths with low cardinality, but those of the app's contract", async () => {
    const seen = await seriesUnder("{ increasedCardinality: false }", [
      ...SERVER,
      ...CLIENT,
      "http_server_response_count",
    ]);
    expect(seen).toContain('dapr_http_server_request_count{method="GET",path="",status="200"} 1');
    expect(seen).toContain('dapr_http_client_completed_count{method="GET",path="/dapr/config",status="200"} 1');
    expect(seen).toContain('dapr_http_client_completed_count{method="GET",path="",status="200"} 1');
    expect(seen.join("\n")).not.toMatch(/response_count|orders|store/);
  });

  it("shows what a pattern fits, also in invocation, and nothing else with low cardinality", async () => {
    const http = '{ increasedCardinality: false, pathMatching: ["/orders/{orderID}"] }';
    const seen = await seriesUnder(http, [...SERVER, ...CLIENT]);
    expect(seen).toContain(
      'dapr_http_server_request_count{method="GET",path="/v1.0/invoke/{app_id}/method/orders/{orderID}",status="200"} 1',
    );
    expect(seen).toContain('dapr_http_client_completed_count{method="GET",path="/orders/{orderID}",status="200"} 1');
    expect(seen.join("\n")).not.toContain("store");
  });

  it("shows what no pattern fits as it is with increased cardinality", async () => {
    const http = '{ increasedCardinality: true, pathMatching: ["/v1.0/state/{store}/{key}"] }';
    const seen = await seriesUnder(http, SERVER);
    expect(seen).toContain(
      'dapr_http_server_request_count{method="GET",path="/v1.0/state/{store}/{key}",status="204"} 1',
    );
    expect(seen).toContain(
      'dapr_http_server_request_count{method="GET",path="/v1.0/invoke/test-app/method/orders/1",status="200"} 1',
    );
  });

  it("leaves verbs out where asked", async () => {
    const seen = await seriesUnder("{ increasedCardinality: true, excludeVerbs: true }", SERVER);
    expect(seen).toContain('dapr_http_server_request_count{method="",path="/v1.0/state/store",status="204"} 1');
  });

  it("has the latency buckets that it was given", async () => {
    const seen = await seriesUnder("{ increasedCardinality: false }", ["http_server_latency_bucket"]);
    const bounds = new Set(seen.map((line) => /le="([^"]+)"/.exec(line)?.[1]));
    expect([...bounds]).toEqual(["5", "50", "+Inf"]);
  });
});
