import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Cancellation, NEVER_CANCELLED } from "../../../kit/cancel-signal.ts";
import { silentLogger } from "../../../kit/silent-logger.ts";
import { systemClock } from "../../../kit/system-clock.ts";
import { KubernetesClient } from "../../../kubernetes/client.ts";
import { FakeApi } from "../../../kubernetes/fake-api.fixture.ts";
import { signRequest } from "../sentry.fixture.ts";
import { KubernetesValidator } from "./kubernetes.ts";

const SENTRY_URI = "spiffe://cluster.example/ns/dapr-system/dapr-sentry";

let api: FakeApi;
let client: KubernetesClient;
let validator: KubernetesValidator;
beforeEach(async () => {
  api = await FakeApi.start();
  api.review = (_token, audiences) => ({
    authenticated: audiences.includes(SENTRY_URI) && audiences.includes("dapr.io/sentry"),
    user: { username: "system:serviceaccount:apps:account" },
  });
  client = new KubernetesClient({ access: api.access(), clock: systemClock, userAgent: "test" });
  validator = new KubernetesValidator({
    client,
    sentryUri: SENTRY_URI,
    trustDomain: "cluster.example",
    namespace: "dapr-system",
    clock: systemClock,
    logger: silentLogger,
  });
});
afterEach(async () => {
  await validator.stop();
  await client.close();
  await api.stop();
});

function pod(annotations: Readonly<Record<string, string>>, namespace = "apps", account = "account"): void {
  api.put(`/api/v1/namespaces/${namespace}/pods/p`, {
    metadata: { annotations },
    spec: { serviceAccountName: account },
  });
}

const claims = Buffer.from(JSON.stringify({ "kubernetes.io": { pod: { name: "p" } } })).toString("base64url");
const TOKEN = `e30.${claims}.AAAA`;

async function judge(facts: Readonly<Record<string, string>> = {}): Promise<string> {
  const request = await signRequest({ appId: "app", namespace: "apps", token: TOKEN, ...facts });
  return await validator.validate(request, NEVER_CANCELLED).catch((error: Error) => error.message);
}

function asService(): void {
  api.review = () => ({ authenticated: true, user: { username: "system:serviceaccount:dapr-system:account" } });
}

describe("the Kubernetes validator", () => {
  it("takes an app whose pod, account and namespace are those of the token", async () => {
    pod({ "dapr.io/app-id": "app" });
    await validator.start();
    expect(await judge()).toBe("public");
    expect(await judge({ trustDomain: "wished.example" })).toBe("public");
  });

  it.each([[[SENTRY_URI]], [["dapr.io/sentry", SENTRY_URI]], [[]]])("takes a token for %j", async (audiences) => {
    pod({ "dapr.io/app-id": "app" });
    api.review = () => ({
      authenticated: true,
      audiences,
      user: { username: "system:serviceaccount:apps:account" },
    });
    await validator.start();
    expect(await judge()).toBe("public");
  });

  it("takes a pod without an app id by its name", async () => {
    pod({});
    await validator.start();
    expect(await judge({ appId: "p" })).toBe("public");
  });

  it("reads the trust domain of the app's Configuration", async () => {
    pod({ "dapr.io/app-id": "app", "dapr.io/config": "mine" });
    await validator.start();
    expect(await judge()).toBe("failed to get configuration");
    const path = "/apis/dapr.io/v1alpha1/namespaces/apps/configurations/mine";
    api.put(path, { spec: { accessControl: { trustDomain: "bank.example" } } });
    await expect.poll(() => judge(), { timeout: 8_000 }).toBe("bank.example");
    api.put(path, { spec: {} });
    await expect.poll(() => judge(), { timeout: 8_000 }).toBe("public");
    api.put(path, { spec: { accessControl: { trustDomain: "Not One" } } });
    await expect.poll(() => judge(), { timeout: 8_000 }).toContain('failed to parse trust domain "Not One"');
  });

  it("gives services of the control plane its own trust domain", async () => {
    asService();
    pod({ "dapr.io/control-plane": "injector" }, "dapr-system");
    await validator.start();
    expect(await judge({ appId: "dapr-injector", namespace: "dapr-system" })).toBe("cluster.example");
    expect(await judge({ appId: "dapr-operator", namespace: "dapr-system" })).toBe(
      "app-id mismatch. expected: dapr-injector, received: dapr-operator",
    );
  });

  it.each([
    [{ "dapr.io/control-plane": "injector" }, "apps", "control plane service in namespace 'apps' is not allowed"],
    [{ "dapr.io/control-plane": "dashboard" }, "dapr-system", "unknown control plane service 'p'"],
    [
      { "dapr.io/control-plane": "injector", "dapr.io/app-id": "app" },
      "dapr-system",
      "control plane service 'p' cannot have annotation 'dapr.io/app-id'",
    ],
  ])("refuses the annotations %j in %s", async (annotations, namespace, message) => {
    if (namespace === "dapr-system") {
      asService();
    }
    pod(annotations, namespace);
    await validator.start();
    expect(await judge({ appId: "dapr-injector", namespace })).toBe(message);
  });

  it.each([
    [{ appId: "other" }, "app-id mismatch. expected: app, received: other"],
    [{ namespace: "elsewhere" }, "namespace mismatch; received namespace: elsewhere"],
    [{ token: "rubbish" }, "failed to parse Kubernetes token: it is no JWT"],
    [{ token: "e30.e30.AA" }, "kubernetes.io/pod/name claim is missing from Kubernetes token"],
    [
      { token: `e30.${Buffer.from('{"kubernetes.io":{"pod":{"name":"q"}}}').toString("base64url")}.AA` },
      "failed to get pod of identity",
    ],
  ])("refuses %j", async (facts, message) => {
    pod({ "dapr.io/app-id": "app" });
    await validator.start();
    expect(await judge(facts as unknown as Record<string, string>)).toBe(message);
  });

  it("refuses another account than the pod's", async () => {
    pod({ "dapr.io/app-id": "app" }, "apps", "other");
    await validator.start();
    expect(await judge()).toBe("pod service account mismatch");
  });

  it.each([
    [{ authenticated: false }, "authentication failed"],
    [{ error: "expired" }, "invalid token: expired"],
    [
      {
        authenticated: true,
        audiences: ["https://kubernetes.default.svc"],
        user: { username: "system:serviceaccount:apps:account" },
      },
      "the token is for other audiences",
    ],
    [
      { authenticated: true, user: { username: "admin" } },
      "provided token is not a properly structured service account token",
    ],
    [
      { authenticated: true, user: { username: "system:serviceaccount:apps:account:more" } },
      "provided token is not a properly structured service account token",
    ],
  ])("refuses what the review says: %j", async (review, message) => {
    pod({ "dapr.io/app-id": "app" });
    api.review = () => review;
    await validator.start();
    expect(await judge()).toBe(message);
  });

  it("makes requests wait until it knows the pods, and not longer than their callers do", async () => {
    pod({ "dapr.io/app-id": "app" });
    const waits = judge();
    const gone = new Cancellation();
    const gives = validator.validate(await signRequest(), gone);
    gone.abort(new Error("gone"));
    await expect(gives).rejects.toThrow("validator not ready");
    await validator.start();
    expect(await waits).toBe("public");
  });
});
