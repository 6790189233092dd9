import { describe, expect, it } from "vitest";
import { FakeSidecar } from "./app-unit.fixture.ts";
import type { AppEndedEvent, UnitEvent } from "./app-unit-types.ts";
import { createDevVoice } from "./dev-voice.ts";
import { appPlan, recordingConsole, runPlan } from "./recording-console.fixture.ts";

const orders = appPlan("orders");
const stock = appPlan("stock");
const sidecar = new FakeSidecar({ http: 1, grpc: 2, internalGrpc: 3, metrics: 4 });

function setUp() {
  const console = recordingConsole();
  const voice = createDevVoice(console, runPlan([orders, stock], "/apps/dapr.yaml"));
  return { said: console.said, tell: (event: UnitEvent, app = orders) => voice.tell(app, event) };
}

function ended(more: Partial<AppEndedEvent>): AppEndedEvent {
  return {
    kind: "app-ended",
    end: { code: 1, signal: null },
    isAsked: false,
    cameUp: false,
    lastLines: [],
    next: "change",
    pauseMs: 0,
    ...more,
  };
}

describe("each message names the thing and the fix", () => {
  it.each<[UnitEvent, string]>([
    [
      { kind: "port-taken", port: 3000, use: "app", owner: "pid 7 (node x.js)" },
      "error orders: port 3000, on which orders is to listen, is taken by pid 7 (node x.js): it is not started.\nFix: end that process, or give the app another port (appPort in /apps/dapr.yaml, and where the app itself says it). Looking again every second.",
    ],
    [
      { kind: "port-taken", port: 3500, use: "http", owner: undefined },
      "error orders: port 3500 of the sidecar of orders (HTTP API) is taken by another process: neither it nor the app is started.\nFix: end that process, or change daprHTTPPort in /apps/dapr.yaml (without it a free port is taken). Looking again every second.",
    ],
    [
      { kind: "app-silent", port: 3000, waitedMs: 5_040 },
      "warn orders: orders runs, but does not listen on 127.0.0.1:3000 after 5 s; still waiting, and nothing is delivered to it until then.\nFix: let it listen there (the environment variable APP_PORT says the port), or correct appPort in /apps/dapr.yaml.",
    ],
    [
      ended({ end: { code: 2, signal: null }, lastLines: ["Error: no database", "    at main"] }),
      "error orders: orders ended with exit code 2 before it was up.\nIts last words:\n  Error: no database\n      at main\nFix: correct what it says; it starts again when a file in /apps/orders changes.",
    ],
    [
      ended({ end: { code: null, signal: null, startError: "cannot start nodee: no such program" } }),
      "error orders: cannot start nodee: no such program.\nFix: correct the command of orders in /apps/dapr.yaml, then start outrigger dev again.",
    ],
    [
      ended({ end: { code: null, signal: "SIGKILL" }, next: "restart", pauseMs: 2_000 }),
      "warn orders: orders was ended by SIGKILL; it starts again in 2 s",
    ],
    [
      ended({ end: { code: 0, signal: null }, next: "finished" }),
      "info orders: orders has finished; a change in /apps/orders starts it again",
    ],
    [
      { kind: "sidecar-ended", reason: "it was ended by SIGKILL", retryMs: 1_000 },
      "warn orders: its sidecar has ended: it was ended by SIGKILL. It starts again in 1 s.",
    ],
    [
      { kind: "restarting", what: "app", paths: ["/apps/orders/a.js", "/apps/orders/b.js", "/c", "/d"] },
      "info orders: a.js, b.js, /c and 1 more changed: orders starts again",
    ],
    [{ kind: "port-free", port: 3000, use: "app" }, "info orders: port 3000 is free now"],
  ])("%o", (event, text) => {
    const { said, tell } = setUp();
    tell(event);
    expect(said).toEqual([text]);
  });
});

it("says that nobody listens where it starts no app itself", () => {
  const { said, tell } = setUp();
  tell({ kind: "app-silent", port: 3000, waitedMs: 5_000 }, appPlan("orders", { command: [] }));
  expect(said[0]).toMatch(/^warn orders: nobody listens on 127\.0\.0\.1:3000 after 5 s/);
});

it("tells why sidecars do not start once for all, and again after they did", () => {
  const { said, tell } = setUp();
  const failed: UnitEvent = { kind: "sidecar-failed", reason: "two components are called store", retryMs: 1_000 };
  for (const app of [orders, stock, orders, stock]) {
    tell(failed, app);
  }
  expect(said).toEqual([
    "error orders: its sidecar does not start: two components are called store\nIt is tried again, and at once when its resources or its Configuration change.",
    "error stock: its sidecar does not start, for the reason told for orders",
  ]);
  tell({ kind: "sidecar-up", sidecar });
  tell(failed);
  expect(said).toHaveLength(3);
});

it("says that an app is up only when something else was told of it before", () => {
  const { said, tell } = setUp();
  tell({ kind: "app-up" });
  expect(said).toEqual([]);
  tell(ended({ next: "restart", pauseMs: 1_000 }));
  tell({ kind: "app-up" });
  tell({ kind: "app-up" });
  expect(said.slice(1)).toEqual(["success orders: orders is up"]);
});

it.each<UnitEvent>([
  { kind: "state", state: "up" },
  { kind: "sidecar-starting", ports: sidecar.ports },
  { kind: "app-started", pid: 1, sidecar },
  ended({ next: "end", isAsked: true }),
])("has nothing to say of %o", (event) => {
  const { said, tell } = setUp();
  tell(event);
  expect(said).toEqual([]);
});
