import { afterAll, beforeAll, expect, it } from "vitest";
import { ActorCluster, type ActorMember } from "../harness/actor-cluster.ts";
import { heldClock } from "../harness/held-clock.ts";
import type { TestSidecar } from "../harness/test-sidecar.ts";
import { until } from "../harness/until.ts";

const RESOURCES = `
apiVersion: dapr.io/v1alpha1
kind: Resiliency
metadata: { name: patience }
spec:
  policies:
    timeouts: { short: 201ms }
    retries: { thrice: { policy: constant, duration: 1ms, maxRetries: 3 } }
    circuitBreakers: { second: { maxRequests: 1, timeout: 1h, trip: consecutiveFailures >= 2 } }
  targets:
    actors:
      retried: { retry: thrice }
      timed: { timeout: short }
      guarded: { circuitBreaker: second, circuitBreakerScope: id }
`;

const TIMEOUT_MS = 201;

let cluster: ActorCluster;
let host: ActorMember;
let peer: TestSidecar;
const clock = heldClock(TIMEOUT_MS);
const never = Promise.withResolvers<void>();

beforeAll(async () => {
  cluster = await ActorCluster.start();
  host = await cluster.add({
    resources: RESOURCES,
    deps: { clock },
    config: { entities: ["retried", "timed", "guarded"] },
    async answer({ method, url }) {
      if (method !== "PUT") {
        return undefined;
      }
      if (url.endsWith("/hangs")) {
        await never.promise;
      }
      return url.endsWith("/fails") ? { status: 500, body: "no" } : undefined;
    },
  });
  peer = await cluster.addSidecar({ resources: RESOURCES });
  await host.ready();
  await until("the peer has tables", async () => (await peer.fetch("/v1.0/healthz")).status === 204);
});
afterAll(async () => {
  never.resolve();
  await cluster[Symbol.asyncDispose]();
});

const call = (sidecar: TestSidecar, path: string): Promise<Response> =>
  sidecar.fetch(`/v1.0/actors/${path}`, { method: "POST" });
const times = (path: string): number => host.app.at(`/actors/${path}`).length;

it("a target's retries are the caller's, whether the actor is here or elsewhere", async () => {
  expect((await call(host.sidecar, "retried/here/method/fails")).status).toBe(500);
  expect((await call(peer, "retried/there/method/fails")).status).toBe(500);
  expect([times("retried/here/method/fails"), times("retried/there/method/fails")]).toEqual([4, 4]);
});

it("a target's timeout ends a turn, and the next one begins", async () => {
  const hanging = call(host.sidecar, "timed/1/method/hangs");
  await until("the turn runs", () => times("timed/1/method/hangs") === 1);
  clock.runOut(TIMEOUT_MS);
  const slow = await hanging;
  expect([slow.status, await slow.text()]).toEqual([500, expect.stringContaining("ERR_ACTOR_INVOKE_METHOD")]);
  expect((await call(host.sidecar, "timed/1/method/fine")).status).toBe(200);
});

it("a target's circuit breaker is that of one actor", async () => {
  for (let failure = 0; failure < 2; failure++) {
    expect((await call(host.sidecar, "guarded/1/method/fails")).status).toBe(500);
  }
  const open = await call(host.sidecar, "guarded/1/method/fine");
  expect([open.status, await open.text()]).toEqual([500, expect.stringContaining("circuit breaker is open")]);
  expect([times("guarded/1/method/fails"), times("guarded/1/method/fine")]).toEqual([2, 0]);
  expect((await call(host.sidecar, "guarded/2/method/fine")).status).toBe(200);
});
