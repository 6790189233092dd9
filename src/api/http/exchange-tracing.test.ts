import { describe, expect, it, test } from "vitest";
import { RecordingTracer } from "../../kit/recording-tracer.fixture.ts";
import { headerValue } from "../../net/http/headers.ts";
import { testDoor } from "./door.fixture.ts";
import { ExchangeTracing } from "./exchange-tracing.ts";
import type { Route } from "./route.ts";

const CALLER = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

function route(path: string, group: string, name: string): Route {
  return {
    methods: ["GET"],
    path,
    group: { name: group, version: "v1" },
    name,
    handler: (exchange) => exchange.respond(200, []),
  };
}

const ROUTES = [
  route("/v1.0/state/:store/:key", "state", "GetState"),
  route("/v1.0/secrets/:store/:key", "secrets", "GetSecret"),
  route("/v1.0/bindings/:name", "bindings", "InvokeBinding"),
  route("/v1.0/publish/:pubsub/*", "publish", "PublishEvent"),
  route("/v1.0/actors/:type/:id/method/:method", "actors", "InvokeActor"),
  route("/v1.0/actors/:type/:id/state/:key", "actors", "GetActorState"),
  route("/v1.0/healthz", "health", "Healthz"),
];

function traced() {
  const tracer = new RecordingTracer();
  return { spans: tracer.spans, door: testDoor({ routes: ROUTES, tracing: new ExchangeTracing(tracer) }) };
}

test.each([
  [
    "/v1.0/state/store/key",
    "/v1.0/state/store/key",
    {
      "db.system": "state",
      "db.name": "store",
      "db.statement": "GET /v1.0/state/store/key",
      "db.connection_string": "state",
    },
  ],
  ["/v1.0/secrets/vault/key", "/v1.0/secrets/vault/key", { "db.system": "secrets", "db.name": "vault" }],
  ["/v1.0/bindings/mail", "/v1.0/bindings/mail", { "db.system": "bindings", "db.name": "mail" }],
  [
    "/v1.0/publish/broker/a/b",
    "/v1.0/publish/broker/a/b",
    { "messaging.system": "pubsub", "messaging.destination.name": "a/b" },
  ],
  [
    "/v1.0/actors/cart/7/method/add",
    "CallActor/cart/add",
    { "dapr.actor": "cart.7", "rpc.service": "ServiceInvocation" },
  ],
  [
    "/v1.0/actors/cart/7/state/k",
    "/v1.0/actors/cart/7/state/k",
    { "dapr.actor": "cart.7", "db.name": "actor", "db.system": "state" },
  ],
  ["/v1.0/state/store/a%20b", "/v1.0/state/store/a b", { "dapr.api": "GET /v1.0/state/store/a%20b" }],
])("%s is named and described as Dapr does", async (target, name, attributes) => {
  const { door, spans } = traced();
  await door.call("GET", target);
  expect(spans).toMatchObject([{ name, kind: 3, parent: undefined, attributes, failure: undefined, ended: 1 }]);
});

describe("every exchange", () => {
  it("says what was asked and answered", async () => {
    const { door, spans } = traced();
    await door.call("GET", "/v1.0/state/store/key?consistency=strong");
    expect(spans[0]?.attributes).toMatchObject({
      "dapr.protocol": "http",
      "dapr.api": "GET /v1.0/state/store/key",
      "dapr.status_code": "200",
      "http.request.method": "GET",
      "http.response.status_code": 200,
      "url.full": "/v1.0/state/store/key?consistency=strong",
    });
  });

  it("stands below its caller and tells it its own context", async () => {
    const { door, spans } = traced();
    const { headers } = await door.call("GET", "/v1.0/state/store/key", ["TraceParent", CALLER, "tracestate", "a=b"]);
    expect(spans[0]?.parent).toEqual({ traceparent: CALLER, tracestate: "a=b" });
    expect(headerValue(headers, "traceparent")).toBe(spans[0]?.traceparent);
    expect(headerValue(headers, "tracestate")).toBe("a=b");
  });

  it("keeps a traceparent that the answer has", async () => {
    const tracer = new RecordingTracer();
    const door = testDoor({
      tracing: new ExchangeTracing(tracer),
      fallback: (exchange) => exchange.respond(200, ["traceparent", "the app's"]),
    });
    const { headers } = await door.call("GET", "/x");
    expect(headers.filter((name) => name === "traceparent")).toHaveLength(1);
    expect(headerValue(headers, "traceparent")).toBe("the app's");
  });

  it("is a failure from 400 on", async () => {
    const tracer = new RecordingTracer();
    const door = testDoor({ tracing: new ExchangeTracing(tracer), fallback: (exchange) => exchange.respond(413, []) });
    await door.call("GET", "/x");
    expect(tracer.spans[0]?.failure).toBe("Code(413): Request Entity Too Large");
  });

  it("carries the headers that users may name, the API token never", async () => {
    const { door, spans } = traced();
    await door.call("GET", "/v1.0/state/store/key", [
      "Dapr-Tenant",
      "t1",
      "dapr-api-token",
      "secret",
      "other",
      "o",
      "dapr-x-bin",
      "b",
    ]);
    const { attributes } = spans[0] ?? expect.fail();
    expect(attributes["dapr-tenant"]).toBe("t1");
    expect(Object.keys(attributes).filter((key) => key.startsWith("dapr-"))).toEqual(["dapr-tenant"]);
    expect(JSON.stringify(attributes)).not.toContain("secret");
  });

  it("has a span also where it is refused for its token", async () => {
    const tracer = new RecordingTracer();
    const door = testDoor({ apiToken: "t", tracing: new ExchangeTracing(tracer) });
    expect((await door.call("GET", "/x")).status).toBe(401);
    expect(tracer.spans).toMatchObject([{ name: "/x", failure: "Code(401): Unauthorized", ended: 1 }]);
  });
});

it("health probes have no span", async () => {
  const { door, spans } = traced();
  await door.call("GET", "/v1.0/healthz");
  expect(spans).toEqual([]);
});

describe("baggage", () => {
  it("goes back to the caller, all headers as one", async () => {
    const { door } = traced();
    const { headers } = await door.call("GET", "/v1.0/state/store/key", ["baggage", "a=1;p", "Baggage", "b=%20"]);
    expect(headerValue(headers, "baggage")).toBe("a=1;p,b=%20");
  });

  it("that breaks the rules is refused before anything else, in Dapr's words", async () => {
    const { door, spans } = traced();
    const answer = await door.call("GET", "/v1.0/state/store/key", ["baggage", "broken"]);
    expect([answer.status, answer.text]).toEqual([
      400,
      'invalid baggage header: invalid baggage list-member: "broken"\n',
    ]);
    expect([headerValue(answer.headers, "traceparent"), spans.length]).toEqual([undefined, 0]);
  });

  it("passes where nothing is traced", async () => {
    expect((await testDoor({}).call("GET", "/x", ["baggage", "broken"])).status).toBe(299);
  });
});
