import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { explainCommand } from "./explain-command.ts";
import { fakeHost } from "./fake-host.fixture.ts";

const RESOURCES = `apiVersion: dapr.io/v1alpha1
kind: Component
metadata:
  name: pubsub
spec:
  type: pubsub.redis
  version: v1
  metadata:
  - name: redisHost
    value: localhost:6379
  - name: redisPassword
    value: hidden
  - name: processingtimeout
    value: 20s
scopes: [orders]
---
apiVersion: dapr.io/v1alpha1
kind: Component
metadata:
  name: store
spec:
  type: state.in-memory
  version: v1
  ignoreErrors: true
---
apiVersion: dapr.io/v2alpha1
kind: Subscription
metadata:
  name: first
spec:
  topic: orders
  pubsubname: pubsub
  routes:
    rules:
    - match: event.type == "gift"
      path: /gifts
    default: /orders
  deadLetterTopic: lost
---
apiVersion: dapr.io/v1alpha1
kind: Subscription
metadata:
  name: second
spec:
  topic: orders
  pubsubname: pubsub
  route: /never
---
apiVersion: dapr.io/v1alpha1
kind: Resiliency
metadata:
  name: rules
spec:
  policies:
    timeouts:
      quick: 5s
    retries:
      patient:
        policy: exponential
        maxInterval: 1s
        maxRetries: 4
      DefaultComponentOutboundRetryPolicy:
        maxRetries: 0
    circuitBreakers:
      fuse:
        timeout: 30s
  targets:
    components:
      pubsub:
        inbound:
          timeout: quick
          retry: patient
    apps:
      stock:
        retry: missing
        circuitBreaker: fuse
---
apiVersion: dapr.io/v1alpha1
kind: HTTPEndpoint
metadata:
  name: partner
spec:
  baseUrl: https://partner.example
`;

const CONFIGURATION = `apiVersion: dapr.io/v1alpha1
kind: Configuration
metadata: { name: guarded }
spec:
  accessControl:
    defaultAction: deny
    policies:
    - appId: orders
      namespace: default
      trustDomain: public
      operations:
      - name: /lines/*
        httpVerb: [GET]
        action: allow
`;

const folder = mkdtempSync(join(tmpdir(), "outrigger-explain-"));
writeFileSync(join(folder, "all.yaml"), RESOURCES);
writeFileSync(join(folder, "guarded.txt"), CONFIGURATION);
afterAll(() => rmSync(folder, { recursive: true }));

async function explain(...args: string[]) {
  const { host, out, err } = fakeHost();
  const all = ["--app-id", "orders", "--resources-path", ".", ...args];
  const code = await explainCommand(all, { ...host, cwd: folder });
  return { code, out: out.join(""), err: err.join("") };
}

/** Where the first line with this text stands. */
function lineOf(text: string): string {
  const index = RESOURCES.split("\n").findIndex((line) => line.includes(text));
  expect(index).not.toBe(-1);
  return `all.yaml:${index + 1}`;
}

/** A line's text and where it says it comes from. */
function lines(out: string): [string, string][] {
  return out
    .trimEnd()
    .split("\n")
    .map((line) => {
      const [text = "", from = ""] = line.trim().split(/ {2,}/);
      return [text, from];
    });
}

describe("explain", () => {
  test("a topic: who gets it, how often it is tried, what becomes of it, and the lines that say so", async () => {
    const { code, out } = await explain("topic", "pubsub", "orders");
    expect(code).toBe(0);
    const said = lines(out);
    expect(said).toEqual(
      expect.arrayContaining([
        ["topic orders of pubsub (pubsub.redis/v1)", lineOf("name: pubsub")],
        ["orders publishes (outbound)", ""],
        ["subscription first", lineOf("name: first")],
        ['event.type == "gift" → /gifts', lineOf("match: event")],
        ["everything else → /orders", lineOf("default: /orders")],
        ["subscription second is not used: the one before it has the same topic", lineOf("name: second")],
        ["timeout: quick", lineOf("timeout: quick")],
        ["5s for each attempt", lineOf("quick: 5s")],
        ["retry: patient", lineOf("retry: patient")],
        ["5 attempts at most", lineOf("patient:")],
        ["maxInterval: 1s", lineOf("maxInterval: 1s")],
        [
          "when all attempts have failed, it has expired or the app drops it: published to lost",
          lineOf("deadLetterTopic: lost"),
        ],
        ["redisPassword: (not shown)", lineOf("name: redisPassword")],
        ["processingtimeout: 20s", lineOf("name: processingtimeout")],
        ["queueDepth: 100", "default"],
      ]),
    );
    expect(out).toContain("waits between them: 500ms, 750ms, 1s, 1s, each up to 50 % shorter or longer");
    expect(said.filter(([text]) => text.startsWith("processingTimeout"))).toEqual([]);
    expect(out).not.toContain("hidden");
  });

  test("a call of an app with a target: its policies, a name that is not there, no built-in retries", async () => {
    const said = lines((await explain("call", "stock")).out);
    expect(said).toEqual(
      expect.arrayContaining([
        ["to the sidecar of stock in namespace default, found by mdns", "default"],
        ["timeout: none", ""],
        ["retry: none, since there is no policy missing", lineOf("retry: missing")],
        ["circuit breaker: fuse", lineOf("circuitBreaker: fuse")],
        ["opens when consecutiveFailures > 5", "default"],
        ["open for 30s, then lets 1 at a time through", lineOf("timeout: 30s")],
        ["the built-in retries are off, since a target names the app", ""],
      ]),
    );
  });

  test("a call of any other app has the built-in retries, one of an endpoint goes to its URL, one of its own needs no sidecar", async () => {
    expect(lines((await explain("call", "other.ns")).out)).toEqual(
      expect.arrayContaining([
        ["to the sidecar of other in namespace ns, found by mdns", "default"],
        ["4 attempts at most", "built in"],
        ["waits between them: 1s, 1s, 1s", ""],
      ]),
    );
    expect(lines((await explain("call", "partner")).out)).toContainEqual([
      "HTTP to https://partner.example, without name resolution",
      lineOf("baseUrl:"),
    ]);
    expect((await explain("call", "orders")).out).toContain("it is the app itself: straight to its port");
  });

  test("a call of an app whose access is controlled: the rule that decides, with and without a certificate", async () => {
    const guarded = (...words: string[]) => explain("--config", "guarded.txt", "call", "stock", ...words);
    const allowed = lines((await guarded("lines/1", "get")).out);
    expect(allowed).toEqual(
      expect.arrayContaining([
        ["access control of stock, if this is its Configuration", "guarded.txt:5"],
        [
          "allowed with mutual TLS, as spiffe://public/ns/default/orders: operation /lines/* with verb GET of policy orders",
          "guarded.txt:12",
        ],
        ["refused without it: the default action, deny", "guarded.txt:5"],
      ]),
    );
    expect((await guarded("lines/%2e%2e/x", "GET")).out).toContain("refused with mutual TLS");
    expect((await guarded("lines/1", "POST")).out).toContain("refused with mutual TLS");
    expect((await guarded("/lines/1", "--app-protocol", "grpc")).out).toContain(
      "allowed with mutual TLS, as spiffe://public/ns/default/orders: operation /lines/* of policy orders",
    );
    expect((await guarded()).out).toContain("name a method");
    expect((await explain("--config", "guarded.txt", "call", "orders", "x")).out).not.toContain("access control");
    expect((await explain("call", "stock", "x")).out).not.toContain("access control");
  });

  test("a component: how it is started and all its fields", async () => {
    expect(lines((await explain("component", "pubsub")).out)).toEqual(
      expect.arrayContaining([
        ["component pubsub (pubsub.redis/v1)", lineOf("name: pubsub")],
        ["when it does not come up: the sidecar ends with exit code 1", "default"],
        ["init may take 5s", "default"],
        ["redisHost: localhost:6379", lineOf("name: redisHost")],
      ]),
    );
  });

  test("a component that no target names has the defaults by their names", async () => {
    expect(lines((await explain("component", "store")).out)).toEqual(
      expect.arrayContaining([
        ["when it does not come up: the sidecar runs on and tries again", lineOf("ignoreErrors")],
        ["retry: DefaultComponentOutboundRetryPolicy", "a default by its name"],
        ["one attempt, no retry", lineOf("DefaultComponentOutboundRetryPolicy:")],
      ]),
    );
  });

  test.each([
    [["component", "pubsbu"], 1, "there is no component pubsbu for orders; did you mean pubsub?"],
    [["--app-id", "stock", "component", "pubsub"], 1, "there is no component pubsub for stock"],
    [["component"], 2, "say what to explain"],
    [["topics", "a"], 2, "say what to explain"],
    [["--app-id", "", "call", "a"], 2, "--app-id is required"],
    [["--resources-path", "nowhere", "call", "a"], 1, "no such file or directory"],
  ])("%j is refused with %i", async (args, code, text) => {
    const result = await explain(...args);
    expect(result.code).toBe(code);
    expect(result.err).toContain(text);
    expect(result.out).toBe("");
  });
});
