import { expect, it } from "vitest";
import { type Handler, handlerResources, pipelineConfiguration } from "../harness/pipeline.ts";
import { IN_MEMORY } from "../harness/resources.ts";
import { startTestApp } from "../harness/test-app.ts";
import { startTestSidecar } from "../harness/test-sidecar.ts";
import { until } from "../harness/until.ts";

const upper: Handler = { name: "upper", type: "uppercase" };
const invoke = "/v1.0/invoke/test-app/method";
const echo = { answer: ({ body, url }: { body: string; url: string }) => ({ body: `${url}:${body}` }) };
const post = (body: string): RequestInit => ({ method: "POST", body });

it("a handler whose component is not there, or of another type or version, is left out", async () => {
  await using app = await startTestApp(echo);
  await using one = await startTestSidecar({
    appPort: app.port,
    configuration: `${pipelineConfiguration({ httpPipeline: [upper, { name: "alias", type: "uppercase" }] })}      - { name: upper, type: middleware.http.uppercase, version: v2 }\n`,
    resources: handlerResources([{ name: "alias", type: "routeralias", metadata: { routes: "{}" } }]),
  });
  expect(await (await one.fetch(`${invoke}/foo`, post("hello"))).text()).toBe("/foo:hello");
});

it("both pipelines run their handlers in the order of the Configuration", async () => {
  await using app = await startTestApp(echo);
  const first = { "/helloworld": `${invoke}/foobar` };
  const second = { "/helloworld": `${invoke}/barfoo`, [`${invoke}/foobar`]: `${invoke}/abc` };
  const handlers: Handler[] = [
    { name: "s1", type: "routeralias", metadata: { routes: JSON.stringify(first) } },
    { name: "s2", type: "routeralias", metadata: { routes: JSON.stringify(second) } },
    { name: "a1", type: "routeralias", metadata: { routes: '{"/abc":"/xyz"}' } },
    { name: "a2", type: "routeralias", metadata: { routes: '{"/abc":"/no","/xyz":"/end"}' } },
  ];
  await using one = await startTestSidecar({
    appPort: app.port,
    configuration: pipelineConfiguration({ httpPipeline: handlers.slice(0, 2), appHttpPipeline: handlers.slice(2) }),
    resources: handlerResources(handlers),
  });
  expect(await (await one.fetch("/helloworld", post("x"))).text()).toBe("/end:x");
  expect(one.logger.said("Building pipeline server")).toBe(true);
  expect(one.logger.said("Building pipeline app")).toBe(true);
  expect(one.logger.said("Adding middleware.http.routeralias/v1 s1 middleware")).toBe(true);
});

it("the API's pipeline is around every call of the API, and behind the token", async () => {
  const state = { name: "state", type: "routeralias", metadata: { routes: '{"/kept/{key}":"/v1.0/state/store/k"}' } };
  await using one = await startTestSidecar({
    apiToken: "secret",
    configuration: pipelineConfiguration({ httpPipeline: [upper, state] }),
    resources: `${IN_MEMORY}---\n${handlerResources([upper, state])}`,
  });
  const headers = { "dapr-api-token": "secret" };
  const save = '[{"key":"k","value":"x"}]';
  // Whatever the names of the fields are in capitals, nothing is saved under "k".
  expect((await one.fetch("/v1.0/state/store", { method: "POST", body: save, headers })).status).toBeGreaterThanOrEqual(
    204,
  );
  expect((await one.fetch("/kept/1", { headers })).status).toBe(204);
  expect((await one.fetch("/kept/1")).status).toBe(401);
  expect((await one.fetch("/v1.0/healthz")).status).toBe(204);
});

it("large bodies stream through both pipelines in both directions", async () => {
  const both: Handler = { ...upper, metadata: { direction: "both" } };
  await using app = await startTestApp(echo);
  await using one = await startTestSidecar({
    appPort: app.port,
    maxBodyBytes: 0,
    configuration: pipelineConfiguration({ httpPipeline: [both], appHttpPipeline: [both] }),
    resources: handlerResources([both]),
  });
  const body = "abcdefgh".repeat(1024 * 1024);
  const text = await (await one.fetch(`${invoke}/foo`, post(body))).text();
  expect(text.length).toBe(body.length + 5);
  expect(text === `/FOO:${body.toUpperCase()}`).toBe(true);
});

it("a body over the limit is refused with 413, also behind a pipeline", async () => {
  await using app = await startTestApp(echo);
  await using one = await startTestSidecar({
    appPort: app.port,
    maxBodyBytes: 1000,
    configuration: pipelineConfiguration({ httpPipeline: [upper] }),
    resources: handlerResources([upper]),
  });
  expect((await one.fetch(`${invoke}/foo`, post("x".repeat(1001)))).status).toBe(413);
  expect((await one.fetch(`${invoke}/foo`, post("x".repeat(1000)))).status).toBe(200);
});

it("the app's pipeline is around events, jobs and the app's own questions, but not around probes", async () => {
  const counted: Handler = { name: "counted", type: "ratelimit" };
  await using app = await startTestApp({
    subscriptions: [{ pubsubname: "broker", topic: "t", route: "/event" }],
  });
  await using one = await startTestSidecar({
    appPort: app.port,
    appHealth: { enabled: true, path: "/well", probeIntervalMs: 1_000, probeTimeoutMs: 500, threshold: 3 },
    configuration: pipelineConfiguration({ appHttpPipeline: [counted] }),
    resources: `${IN_MEMORY}---\n${handlerResources([counted])}`,
  });
  await until("the subscription is live", () => app.at("/dapr/subscribe").length > 0);
  await until("an event arrives", async () => {
    await one.fetch("/v1.0/publish/broker/t", post("{}"));
    return app.at("/event").length > 0;
  });
  // The rate limit gives requests of no known address one.
  for (const path of ["/event", "/dapr/config", "/dapr/subscribe"]) {
    expect(app.at(path)[0]?.headers["x-forwarded-for"]).toBe("0.0.0.0");
  }
  expect(app.at("/well")[0]?.headers["x-forwarded-for"]).toBeUndefined();
});
