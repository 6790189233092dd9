import { expect, it } from "vitest";
import { component, IN_MEMORY, temporaryFolder } from "../harness/resources.ts";
import { startTestApp } from "../harness/test-app.ts";
import { startTestSidecar, type TestSidecar } from "../harness/test-sidecar.ts";
import { until } from "../harness/until.ts";

const METRICS = { enabled: true, port: 0, listenAddress: "127.0.0.1" };
const APP = 'app_id="test-app"';

async function counts(one: TestSidecar): Promise<readonly string[]> {
  const text = await (await fetch(`http://127.0.0.1:${one.sidecar.ports.metrics ?? 0}/`)).text();
  return text
    .split("\n")
    .filter((line) => /^dapr_component_\w+_(event_)?count\{/.test(line) && !line.includes("latencies"));
}

const JSON_BODY = { "content-type": "application/json" };

it("calls of components count by component, operation and success", async () => {
  await using folder = await temporaryFolder();
  const secrets = await folder.write("secrets.json", '{"one":"1"}');
  await using one = await startTestSidecar({
    metrics: METRICS,
    resources: [
      IN_MEMORY,
      component("vault", "secretstores.local.file", { secretsFile: secrets }),
      component("files", "bindings.localstorage", { rootPath: folder.path }),
    ].join("---\n"),
  });
  await one.fetch("/v1.0/state/store", { method: "POST", headers: JSON_BODY, body: '[{"key":"a","value":1}]' });
  await one.fetch("/v1.0/state/store/a");
  await one.fetch("/v1.0/state/store/a", { method: "DELETE" });
  await one.fetch("/v1.0/state/store/bulk", { method: "POST", headers: JSON_BODY, body: '{"keys":["a"]}' });
  await one.fetch("/v1.0/state/nowhere/a");
  await one.fetch("/v1.0/secrets/vault/one");
  await one.fetch("/v1.0/secrets/vault/two");
  await one.fetch("/v1.0/secrets/vault/bulk");
  const invoke = (operation: string): Promise<Response> =>
    one.fetch("/v1.0/bindings/files", { method: "POST", headers: JSON_BODY, body: JSON.stringify({ operation }) });
  await invoke("list");
  await invoke("fly");
  const labels = (name: string, operation: string, success: boolean): string =>
    `{${APP},component="${name}",namespace="",operation="${operation}",success="${success}"}`;
  expect(await counts(one)).toEqual([
    `dapr_component_output_binding_count${labels("files", "fly", false)} 1`,
    `dapr_component_output_binding_count${labels("files", "list", true)} 1`,
    `dapr_component_secret_count${labels("vault", "bulk_get", true)} 1`,
    `dapr_component_secret_count${labels("vault", "get", false)} 1`,
    `dapr_component_secret_count${labels("vault", "get", true)} 1`,
    `dapr_component_state_count${labels("store", "bulk_get", true)} 1`,
    `dapr_component_state_count${labels("store", "delete", true)} 1`,
    `dapr_component_state_count${labels("store", "get", true)} 1`,
    `dapr_component_state_count${labels("store", "set", true)} 1`,
  ]);
});

it("messages count on their way out and in, by topic and what the app said", async () => {
  await using app = await startTestApp({
    subscriptions: [{ pubsubname: "broker", topic: "orders", route: "/orders" }],
    answer: ({ url }) => (url === "/orders" ? { body: '{"status":"DROP"}' } : undefined),
  });
  await using one = await startTestSidecar({
    appPort: app.port,
    resources: IN_MEMORY,
    metrics: METRICS,
    namespace: "prod",
  });
  await one.fetch("/v1.0/publish/broker/orders", { method: "POST", body: "one" });
  await one.fetch("/v1.0-alpha1/publish/bulk/broker/unheard", {
    method: "POST",
    headers: JSON_BODY,
    body: JSON.stringify([{ entryId: "1", event: "x", contentType: "text/plain" }]),
  });
  const labels = `${APP},component="broker",namespace="prod"`;
  const expected = [
    `dapr_component_pubsub_egress_bulk_count{${labels},success="true",topic="unheard"} 1`,
    `dapr_component_pubsub_egress_bulk_event_count{${labels},success="true",topic="unheard"} 1`,
    `dapr_component_pubsub_egress_count{${labels},success="true",topic="orders"} 1`,
    `dapr_component_pubsub_ingress_count{${labels},process_status="drop",status="success",topic="orders"} 1`,
  ];
  await until("the delivery counts", async () => (await counts(one)).length === expected.length);
  expect(await counts(one)).toEqual(expected);
});

it("events of an input binding count by what the app said", async () => {
  await using app = await startTestApp({ answer: ({ method }) => ({ status: method === "POST" ? 500 : 200 }) });
  await using one = await startTestSidecar({
    appPort: app.port,
    resources: component("tick", "bindings.cron", { schedule: "@every 1s" }),
    metrics: METRICS,
  });
  const [line = ""] = await until("an event counts", async () => {
    const seen = await counts(one);
    return seen.length > 0 && seen;
  });
  expect(line).toMatch(`dapr_component_input_binding_count{${APP},component="tick",namespace="",success="false"} `);
});
