import { expect, it } from "vitest";
import { createSharedScope } from "../../src/inventory/shared-scope.ts";
import { SentryDouble } from "../harness/sentry-double.ts";
import { startTestApp } from "../harness/test-app.ts";
import { startTestSidecar } from "../harness/test-sidecar.ts";
import { until } from "../harness/until.ts";

const METRICS = { enabled: true, port: 0, listenAddress: "127.0.0.1" };

it("two sidecars call each other over mutual TLS", async () => {
  await using sentry = await SentryDouble.start();
  await using app = await startTestApp({ answer: ({ url }) => ({ body: `heard ${url}` }) });
  const deps = { shared: createSharedScope() };
  const mtls = sentry.mtls();
  await using callee = await startTestSidecar({ appId: "callee", appPort: app.port, deps, mtls });
  await using caller = await startTestSidecar({ appId: "caller", deps, mtls });

  const response = await caller.fetch("/v1.0/invoke/callee/method/hello", { method: "POST", body: "x" });

  expect([response.status, await response.text()]).toEqual([200, "heard /hello"]);
  // A sentry that is slow to answer is asked again.
  const asked = sentry.requests.map(({ id, namespace, trustDomain }) => JSON.stringify([id, namespace, trustDomain]));
  expect([...new Set(asked)]).toEqual(['["callee","default",""]', '["caller","default",""]']);
  // Plain text gets no further than the handshake.
  const internal = `http://127.0.0.1:${callee.sidecar.ports.internalGrpc}`;
  await expect(fetch(internal)).rejects.toThrow();
});

it("a sidecar that answers under another app's name is not called", async () => {
  await using sentry = await SentryDouble.start();
  await using app = await startTestApp();
  const deps = { shared: createSharedScope() };
  const impostor = sentry.mtls({ localIdentity: "somebody-else" });
  await using callee = await startTestSidecar({ appId: "callee", appPort: app.port, deps, mtls: impostor });
  await using caller = await startTestSidecar({ appId: "caller", deps, mtls: sentry.mtls() });

  const response = await caller.fetch("/v1.0/invoke/callee/method/hello");

  expect(response.status).toBe(500);
  expect(await response.text()).toContain("unexpected SPIFFE ID");
  expect(app.at("/hello")).toEqual([]);
  expect(callee.sidecar.ports.internalGrpc).toBeGreaterThan(0);
});

it("certificates that live for seconds are renewed under load without a failed call", async () => {
  await using sentry = await SentryDouble.start();
  sentry.behaviour.ttlMs = 4_000;
  await using app = await startTestApp({ answer: () => ({ body: "ok" }) });
  const deps = { shared: createSharedScope() };
  const mtls = sentry.mtls();
  await using callee = await startTestSidecar({ appId: "callee", appPort: app.port, deps, mtls });
  await using caller = await startTestSidecar({ appId: "caller", deps, mtls, metrics: METRICS });

  const answers = new Map<string, number>();
  let isOver = false;
  const calling = Array.from({ length: 8 }, async () => {
    while (!isOver) {
      const response = await caller.fetch("/v1.0/invoke/callee/method/hello", { method: "POST", body: "x" });
      const answer = `${response.status} ${await response.text()}`;
      answers.set(answer, (answers.get(answer) ?? 0) + 1);
    }
  });
  await until("each sidecar has had six certificates", () => sentry.requests.length >= 12, 30_000);
  isOver = true;
  await Promise.all(calling);

  expect([...answers.keys()]).toEqual(["200 ok"]);
  const text = await (await fetch(`http://127.0.0.1:${caller.sidecar.ports.metrics}/`)).text();
  expect(text).toContain('dapr_runtime_mtls_init_total{app_id="caller"} 1\n');
  const renewals = Number(/dapr_runtime_mtls_workload_cert_rotated_total\{app_id="caller"\} (\d+)/.exec(text)?.[1]);
  expect(renewals).toBeGreaterThanOrEqual(4);
  expect(callee.logger.lines.filter(({ level }) => level === "error")).toEqual([]);
});
