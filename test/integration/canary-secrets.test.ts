import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Canaries } from "../harness/canaries.ts";
import { type Program, startOutrigger } from "../harness/outrigger-program.ts";
import { configuration, type Folder, temporaryFolder } from "../harness/resources.ts";
import { freePort, startTestApp, type TestApp } from "../harness/test-app.ts";
import { until } from "../harness/until.ts";
import { secretComponents } from "./canary-resources.ts";

/** Traces go among the log, and to a collector in this process. */
function configurationOf(collectorPort: number): string {
  return configuration(`  metrics: { recordErrorCodes: true }
  tracing:
    samplingRate: "1"
    stdout: true
    otel: { endpointAddress: "127.0.0.1:${collectorPort}", isSecure: false, protocol: http }
`);
}

const JSON_BODY = { "content-type": "application/json" };

/** What callers are given because they asked for it, or sent themselves: it may stand in their answers. */
const CALLERS_OWN = [
  "secret store",
  "secret of a component",
  "secret of a header",
  "state encryption key",
  "broken encryption key",
  "environment",
  "payload",
  "value",
];

describe("secrets, planted wherever one goes in, of a sidecar that logs all it can", () => {
  const canaries = new Canaries();
  const answers: string[] = [];
  let folder: Folder;
  let app: TestApp;
  let collector: TestApp;
  let program: Program;
  let flags: readonly string[];
  let env: Readonly<Record<string, string>>;
  let httpPort: number;
  let metricsPort: number;

  const call = async (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) => {
    const response = await fetch(`http://127.0.0.1:${httpPort}${path}`, {
      method,
      headers: { "dapr-api-token": canaries.plant("API token"), ...(body !== undefined && JSON_BODY), ...headers },
      ...(body !== undefined && { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    answers.push(
      `${method} ${path.split("?")[0] ?? ""}: ${response.status} ${JSON.stringify([...response.headers])} ${text}`,
    );
    return response.status;
  };

  beforeAll(async () => {
    folder = await temporaryFolder();
    app = await startTestApp({
      subscriptions: [
        { pubsubname: "broker", topic: "orders", route: "/refused", deadLetterTopic: "dead" },
        { pubsubname: "redis-url", topic: "orders", route: "/orders" },
      ],
      answer: ({ url }) => (url.startsWith("/refused") ? { status: 500, body: "no" } : {}),
    });
    collector = await startTestApp();
    const closed = await freePort();
    await folder.write("resources.yaml", await secretComponents(canaries, folder, closed));
    await folder.write("config.txt", configurationOf(collector.port));
    [httpPort, metricsPort] = [await freePort(), await freePort()];
    flags = [
      "--app-id=shop",
      `--app-port=${app.port}`,
      `--dapr-http-port=${httpPort}`,
      `--dapr-grpc-port=${await freePort()}`,
      `--metrics-port=${metricsPort}`,
      "--dapr-listen-addresses=127.0.0.1",
      "--log-level=debug",
      "--enable-api-logging",
      `--resources-path=${folder.path}`,
      `--config=${join(folder.path, "config.txt")}`,
    ];
    env = {
      DAPR_API_TOKEN: canaries.plant("API token"),
      APP_API_TOKEN: canaries.plant("app token"),
      CANARY_ENVIRONMENT: canaries.plant("environment"),
      OPENAI_API_KEY: canaries.plant("model key in the environment"),
    };
    program = startOutrigger(["sidecar", ...flags], { cwd: folder.path, env });
    await program.says("dapr initialized. Status: Running");
  });
  afterAll(async () => {
    await program[Symbol.asyncDispose]();
    await app.close();
    await collector.close();
    await folder[Symbol.asyncDispose]();
  });

  it("it uses them all, and much fails", async () => {
    const [value, payload] = [canaries.plant("value"), canaries.plant("payload")];
    const bearer = {
      authorization: `Bearer ${canaries.plant("Authorization")}`,
      cookie: `s=${canaries.plant("cookie")}`,
    };
    expect(await call("GET", "/v1.0/secrets/vault/password")).toBe(200);
    expect(await call("GET", "/v1.0/secrets/vault/bulk")).toBe(200);
    expect(await call("GET", "/v1.0/secrets/env/CANARY_ENVIRONMENT")).toBe(200);
    expect(await call("GET", "/v1.0/metadata", undefined, { "dapr-api-token": canaries.plant("wrong token") })).toBe(
      401,
    );
    expect(await call("POST", `/v1.0/invoke/shop/method/x?token=${canaries.plant("query")}`, payload, bearer)).toBe(
      200,
    );
    for (const store of ["memory", "encrypted", "redis", "referring", "unencrypted", "redis-key", "sqlite", "etcd"]) {
      await call("POST", `/v1.0/state/${store}`, [{ key: "k", value }]);
      await call("GET", `/v1.0/state/${store}/k`);
      await call("POST", `/v1.0/state/${store}`, `[{"key": "k", "value": "${value}" oops`);
    }
    for (const broker of ["broker", "redis-url", "nowhere"]) {
      await call("POST", `/v1.0/publish/${broker}/orders`, payload);
      await call("POST", `/v1.0/publish/${broker}/orders`, payload, { "content-type": "application/cloudevents+json" });
    }
    for (const binding of ["web", "web-key", "web-url", "postgres", "postgres-odd", "postgres-url"]) {
      await call("POST", `/v1.0/bindings/${binding}`, { operation: "post", data: payload, metadata: { key: payload } });
    }
    await call("POST", "/v1.0-alpha2/conversation/model/converse", {
      inputs: [{ messages: [{ ofUser: { content: [{ text: payload }] } }] }],
    });
    for (const provider of ["jwks", "jwks-url"]) {
      await call("PUT", `/v1.0-alpha1/crypto/${provider}/encrypt`, payload, {
        "dapr-key-name": "k",
        "dapr-key-wrap-algorithm": "A256KW",
      });
    }
    expect(await call("GET", "/v1.0/invoke/elsewhere/method/x", undefined, bearer)).toBe(500);
    expect(await call("GET", "/v1.0/invoke/by-url/method/x")).toBe(500);
    expect(await call("GET", "/v1.0/invoke/nobody/method/x", undefined, bearer)).toBe(500);
    await until("the event was refused", () => app.at("/refused").length > 0);
    expect(app.requests.some(({ headers }) => headers["dapr-api-token"] === canaries.plant("app token"))).toBe(true);
  });

  it("its answers have none but what was asked for or sent", () => {
    expect(canaries.found(answers.join("\n"), CALLERS_OWN)).toEqual([]);
  });

  it("its log has none of them", () => {
    expect(program.output).toContain("HTTP API Called");
    expect(canaries.found(program.output)).toEqual([]);
  });

  it("its traces have none of them", async () => {
    const traces = await until(
      "the traces came",
      () => {
        const all = collector.requests.map(({ url, body }) => `${url} ${body}`).join("\n");
        return all.includes("/v1.0/invoke/elsewhere/method/x") && all;
      },
      30_000,
    );
    // `url.full` has the query, as in Dapr and in OpenTelemetry's conventions.
    expect(canaries.found(traces, ["query"])).toEqual([]);
  });

  it("its metrics have none of them", async () => {
    const text = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
    expect(text).toContain("dapr_error_code_total");
    expect(canaries.found(text)).toEqual([]);
  });

  it("what `outrigger explain` tells of its components has none of them", async () => {
    const names = ["redis", "redis-url", "referring", "jwks-url", "web-url", "postgres"];
    for (const name of names) {
      const args = ["explain", "--app-id", "shop", "--resources-path", folder.path, "component", name];
      const explained = startOutrigger(args, { cwd: folder.path });
      await explained.ended;
      expect(explained.output).toContain(name);
      expect(canaries.found(explained.output), name).toEqual([]);
    }
  });

  it("what `outrigger doctor` finds, planned and running, has none of them", async () => {
    const runs = [
      ["sidecar", ...flags],
      ["--sidecar", `http://127.0.0.1:${httpPort}`],
    ];
    for (const args of runs) {
      const doctor = startOutrigger(["doctor", "--json", "--timeout=5s", ...args], { cwd: folder.path, env });
      await doctor.ended;
      expect(doctor.output).toContain('"check"');
      expect(canaries.found(doctor.output)).toEqual([]);
    }
  });

  it("what it tells of itself has none of them", async () => {
    answers.length = 0;
    for (const path of ["/v1.0/metadata", "/outrigger/v1/components", "/outrigger/v1/subscriptions"]) {
      expect(await call("GET", path)).toBe(200);
    }
    expect(canaries.found(answers.join("\n"))).toEqual([]);
  });
});
