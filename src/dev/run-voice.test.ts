import { expect, it } from "vitest";
import { FakeSidecar } from "./app-unit.fixture.ts";
import type { AppEndedEvent, UnitEvent } from "./app-unit-types.ts";
import { appPlan, recordingConsole, runPlan } from "./recording-console.fixture.ts";
import { createRunVoice } from "./run-voice.ts";
import type { AppPlan } from "./types.ts";

const sidecar = new FakeSidecar({ http: 3500, grpc: 50_001, internalGrpc: 3, metrics: 4 });

function says(app: AppPlan, runFile: string | undefined, events: readonly UnitEvent[]): readonly string[] {
  const console = recordingConsole();
  const voice = createRunVoice(console, runPlan([app], runFile));
  for (const event of events) {
    voice.tell(app, event);
  }
  return console.said;
}

const START: readonly UnitEvent[] = [
  { kind: "sidecar-starting", ports: sidecar.ports },
  { kind: "sidecar-up", sidecar },
  { kind: "app-started", pid: 12, sidecar },
];

function ended(end: AppEndedEvent["end"], isAsked = false): UnitEvent {
  return { kind: "app-ended", end, isAsked, cameUp: true, lastLines: [], next: "end", pauseMs: 0 };
}

it("speaks of one app as dapr run does", () => {
  const events = [...START, ended({ code: 0, signal: null }), { kind: "state", state: "stopped" } as const];
  expect(says(appPlan("orders"), undefined, events)).toEqual([
    "info orders: Starting Dapr with id orders. HTTP Port: 3500. gRPC Port: 50001",
    "info orders: Dapr sidecar is up and running.",
    "info orders: Updating metadata for appPID: 12",
    "info orders: Updating metadata for app command: node app.js",
    "success orders: You're up and running! Both Dapr and your app logs will appear here.\n",
    "success orders: Exited App successfully",
    "success orders: Exited Dapr successfully",
  ]);
});

it("speaks of the apps of a run file as dapr run does", () => {
  expect(says(appPlan("orders", { sidecarLog: "file" }), "/dapr.yaml", START)).toEqual([
    'info orders: Validating config and starting app "orders"',
    "info orders: Starting Dapr with id orders. HTTP Port: 3500. gRPC Port: 50001",
    "info orders: Dapr sidecar is up and running.",
    'info orders: Started Dapr with app id "orders". HTTP Port: 3500. gRPC Port: 50001',
    "info orders: Writing log files to directory : /apps/orders/.dapr/logs",
  ]);
});

it("speaks of the ports it looks at for an app without one", () => {
  expect(says(appPlan("orders", { appPort: undefined }), undefined, START).slice(1, 3)).toEqual([
    "info orders: Checking if Dapr sidecar is listening on HTTP port 3500",
    "info orders: Checking if Dapr sidecar is listening on GRPC port 50001",
  ]);
});

it("names the sockets of a sidecar that has no ports", () => {
  const app = appPlan("orders", { sidecarFlags: ["--unix-domain-socket=/run/dapr"] });
  expect(says(app, undefined, START)[0]).toBe(
    "info orders: Starting Dapr with id orders. HTTP Socket: /run/dapr/dapr-orders-http.socket. gRPC Socket: /run/dapr/dapr-orders-grpc.socket.",
  );
});

it("speaks of a sidecar alone", () => {
  expect(says(appPlan("orders", { command: [] }), undefined, START.slice(0, 2)).at(-1)).toBe(
    "success orders: You're up and running! Dapr logs will appear here.\n",
  );
});

it.each<[UnitEvent, string]>([
  [ended({ code: 3, signal: null }), "error x: The App process exited with error code: exit status 3"],
  [ended({ code: null, signal: "SIGKILL" }), "error x: The App process exited with error code: signal: SIGKILL"],
  [ended({ code: null, signal: "SIGTERM" }, true), "success x: Exited App successfully"],
  [
    ended({ code: null, signal: null, startError: "cannot start y: no such program" }),
    "error x: Error starting app process: cannot start y: no such program",
  ],
  [
    { kind: "sidecar-failed", reason: "no such component", retryMs: undefined },
    'error x: Error starting Dapr and app ("x"): no such component',
  ],
  [
    { kind: "sidecar-ended", reason: "it was ended by SIGKILL", retryMs: undefined },
    "error x: The daprd process exited: it was ended by SIGKILL",
  ],
  [
    { kind: "port-taken", port: 80, use: "grpc", owner: "pid 7 (node)" },
    "error x: invalid configuration for GRPCPort. Port 80 is not available: pid 7 (node) has it",
  ],
])("%o", (event, text) => {
  expect(says(appPlan("x"), undefined, [event])).toEqual([text]);
});

it("does not say that a sidecar has exited that was never up, or has ended badly", () => {
  const stopped: UnitEvent = { kind: "state", state: "stopped" };
  expect(says(appPlan("x"), undefined, [stopped])).toEqual([]);
  const lost: UnitEvent = { kind: "sidecar-ended", reason: "it crashed", retryMs: undefined };
  expect(says(appPlan("x"), undefined, [{ kind: "sidecar-up", sidecar }, lost, stopped]).at(-1)).toMatch(/^error x: /);
});
