import { expect, it } from "vitest";
import { component, configuration, temporaryFolder } from "../harness/resources.ts";
import { type SidecarProgram, startSidecarProgram } from "../harness/sidecar-program.ts";
import { startTestApp, type TestApp } from "../harness/test-app.ts";
import { type CollectedSpan, startTraceCollector, type TraceCollector } from "../harness/trace-collector.ts";
import { freePort } from "../harness/test-app.ts";
import { until } from "../harness/until.ts";

const TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736";
const FACADE_SPAN = "00f067aa0ba902b7";

/** What an app hands on of a request to its own calls, as any OpenTelemetry library does. */
function handedOn(headers: Readonly<Record<string, string | readonly string[] | undefined>>): Record<string, string> {
  const { traceparent, tracestate, baggage } = headers;
  return Object.fromEntries(
    Object.entries({ traceparent, tracestate, baggage }).filter(([, value]) => typeof value === "string"),
  ) as Record<string, string>;
}

function tracing(collector: TraceCollector, protocol: "grpc" | "http", folder: string): string {
  const endpoint = `127.0.0.1:${protocol === "grpc" ? collector.grpcPort : collector.httpPort}`;
  return configuration(`  nameResolution:
    component: sqlite
    configuration: { connectionString: "${folder}/names.db" }
  tracing:
    samplingRate: "1"
    zipkin: { endpointAddress: "http://127.0.0.1:${collector.httpPort}/api/v2/spans" }
    otel: { endpointAddress: "${endpoint}", protocol: ${protocol}, isSecure: false, headers: ["x-key=k1"] }
`);
}

/** Façade → orders → publish → confirmation → mail server: three sidecars, each a process, and the apps here. */
async function placeOrder(collector: TraceCollector, protocol: "grpc" | "http"): Promise<TestApp> {
  await using folder = await temporaryFolder();
  const mail = await startTestApp();
  const sidecars = new Map<string, SidecarProgram>();
  const fetchOf = (name: string, path: string, init: RequestInit): Promise<Response> =>
    (sidecars.get(name) as SidecarProgram).fetch(path, { method: "POST", ...init });
  await using orders = await startTestApp({
    async answer({ url, headers }) {
      if (url === "/place") {
        const published = await fetchOf("orders", "/v1.0/publish/broker/placed", {
          headers: { ...handedOn(headers), "content-type": "application/json" },
          body: '{"order":1}',
        });
        return { status: published.status === 204 ? 200 : 500 };
      }
      return undefined;
    },
  });
  await using confirmation = await startTestApp({
    subscriptions: [{ pubsubname: "broker", topic: "placed", route: "/placed" }],
    async answer({ url, headers }) {
      if (url === "/placed") {
        const body = JSON.stringify({ operation: "post", data: "confirmed" });
        await fetchOf("confirmation", "/v1.0/bindings/mail", { headers: handedOn(headers), body });
      }
      return undefined;
    },
  });
  const resources = [
    component("broker", "pubsub.sqlite", { connectionString: `${folder.path}/events.db` }),
    component("mail", "bindings.http", { url: `http://127.0.0.1:${mail.port}/mail` }),
  ].join("---\n");
  const start = async (appId: string, app: TestApp | undefined): Promise<void> => {
    const flags = [`--app-id=${appId}`, `--dapr-internal-grpc-port=${await freePort()}`];
    const appFlags = app === undefined ? [] : [`--app-port=${app.port}`];
    const sidecar = await startSidecarProgram({
      resources,
      configuration: tracing(collector, protocol, folder.path),
      flags: [...flags, ...appFlags],
    });
    sidecars.set(appId, sidecar);
  };
  try {
    await Promise.all([start("facade", undefined), start("orders", orders), start("confirmation", confirmation)]);
    const answer = await fetchOf("facade", "/v1.0/invoke/orders/method/place", {
      headers: { traceparent: `00-${TRACE_ID}-${FACADE_SPAN}-01`, tracestate: "shop=1", baggage: "customer=7" },
    });
    expect(answer.status).toBe(200);
    expect(answer.headers.get("traceparent")).toContain(TRACE_ID);
    expect(answer.headers.get("baggage")).toBe("customer=7");
    await until("the mail has been sent", async () => mail.at("/mail").length === 1);
  } finally {
    // What has not been exported yet is when they stop.
    await Promise.all([...sidecars.values()].map(({ program }) => program.signal("SIGTERM")));
    await Promise.all([...sidecars.values()].map((sidecar) => sidecar[Symbol.asyncDispose]()));
    await mail.close();
  }
  return mail;
}

function only(spans: readonly CollectedSpan[], service: string, name: string): CollectedSpan {
  const found = spans.filter((span) => span.service === service && span.name === name);
  expect(
    found,
    `${service} ${name} among ${spans.map((span) => `${span.service} ${span.name}`).join(", ")}`,
  ).toHaveLength(1);
  return found[0] as CollectedSpan;
}

/** One connected trace, from the façade's own span down to the binding's. */
function expectOneTrace(spans: readonly CollectedSpan[], caseOf: (name: string) => string): CollectedSpan {
  const called = only(spans, "facade", caseOf("CallLocal/orders/place"));
  const served = only(spans, "orders", caseOf("CallLocal/orders/place"));
  const published = only(spans, "orders", "/v1.0/publish/broker/placed");
  const delivered = only(spans, "confirmation", "pubsub/placed");
  const sent = only(spans, "confirmation", "/v1.0/bindings/mail");
  const chain = [called, served, published, delivered, sent];
  expect(new Set(chain.map(({ traceId }) => traceId))).toEqual(new Set([TRACE_ID]));
  expect(chain.map(({ parentId }) => parentId)).toEqual([
    FACADE_SPAN,
    ...chain.slice(0, -1).map(({ spanId }) => spanId),
  ]);
  expect(chain.map(({ kind }) => kind)).toEqual(["CLIENT", "SERVER", "CLIENT", "CLIENT", "CLIENT"]);
  expect(chain.map(({ failure }) => failure)).toEqual([undefined, undefined, undefined, undefined, undefined]);
  for (const { startUs, durationUs } of chain) {
    expect(Math.abs(startUs / 1000 - Date.now())).toBeLessThan(600_000);
    expect(durationUs).toBeGreaterThan(0);
  }
  expect(called.attributes).toMatchObject({
    "dapr.api": "POST /v1.0/invoke/orders/method/place",
    "dapr.protocol": "http",
    "dapr.status_code": "200",
    "net.peer.name": "orders",
    "rpc.service": "ServiceInvocation",
  });
  expect(served.attributes).toMatchObject({ "dapr.protocol": "grpc", "dapr.invoke_method": "place" });
  expect(published.attributes).toMatchObject({ "messaging.system": "pubsub", "messaging.destination.name": "placed" });
  expect(delivered.attributes).toMatchObject({ "messaging.system": "pubsub", "messaging.destination.name": "placed" });
  expect(sent.attributes).toMatchObject({ "db.system": "bindings", "db.name": "mail" });
  return sent;
}

it.each(["grpc", "http"] as const)(
  "an order is one trace across processes, by OTLP over %s and in Zipkin's format",
  async (protocol) => {
    await using collector = await startTraceCollector();
    const mail = await placeOrder(collector, protocol);
    const otlp = collector.spans.filter(({ via }) => via === protocol);
    const sent = expectOneTrace(otlp, (name) => name);
    expect(mail.at("/mail")[0]?.headers["traceparent"]).toBe(`00-${TRACE_ID}-${sent.spanId}-01`);
    expect(mail.at("/mail")[0]?.headers["tracestate"]).toBe("shop=1");
    const published = only(otlp, "orders", "/v1.0/publish/broker/placed");
    expect(only(otlp, "confirmation", "pubsub/placed").links).toEqual([published.spanId]);
    expect(collector.headers.filter((headers) => headers["x-key"] === "k1").length).toBeGreaterThan(0);
    const zipkin = collector.spans.filter(({ via }) => via === "zipkin");
    expectOneTrace(zipkin, (name) => name.toLowerCase());
    expect(zipkin.map(({ spanId }) => spanId).sort()).toEqual(otlp.map(({ spanId }) => spanId).sort());
  },
  60_000,
);
