import { create } from "@bufbuild/protobuf";
import { expect, it } from "vitest";
import { InvokeResponseSchema } from "../../src/wire/gen/dapr/proto/common/v1/common_pb.js";
import { startGrpcApp } from "../harness/grpc-app.ts";
import { IN_MEMORY } from "../harness/resources.ts";
import { freePort, startTestApp } from "../harness/test-app.ts";
import { startTestSidecar, type TestSidecar } from "../harness/test-sidecar.ts";
import { until } from "../harness/until.ts";

async function publish(sidecar: TestSidecar, topic: string): Promise<void> {
  expect((await sidecar.fetch(`/v1.0/publish/broker/${topic}`, { method: "POST", body: "x" })).status).toBe(204);
}

async function isHealthy(sidecar: TestSidecar): Promise<boolean> {
  return (await sidecar.fetch("/v1.0/healthz")).status === 204;
}

it("delivers nothing while the app is away, and asks it again for its subscriptions when it is back", async () => {
  const subscribed = (topic: string) => ({ subscriptions: [{ pubsubname: "broker", topic, route: `/on-${topic}` }] });
  await using first = await startTestApp({ ...subscribed("old"), port: await freePort() });
  await using sidecar = await startTestSidecar({ resources: IN_MEMORY, appPort: first.port });
  await publish(sidecar, "old");
  await until("the event has arrived", () => first.at("/on-old").length === 1);

  await sidecar.sidecar.appLeft();
  expect(await isHealthy(sidecar)).toBe(false);
  await publish(sidecar, "old");
  await first.close();
  await using second = await startTestApp({ ...subscribed("new"), port: first.port });
  expect(second.requests).toHaveLength(0);

  await sidecar.sidecar.appReturned();
  expect(await isHealthy(sidecar)).toBe(true);
  await publish(sidecar, "old");
  await publish(sidecar, "new");
  await until("the event has arrived", () => second.at("/on-new").length === 1);
  expect(second.requests.map(({ url }) => url)).toEqual(["/dapr/config", "/dapr/subscribe", "/on-new"]);
  expect(first.at("/on-old")).toHaveLength(1);
});

it("waits for the app to listen again, and gives up waiting when it has left once more", async () => {
  await using app = await startTestApp({ port: await freePort() });
  await using sidecar = await startTestSidecar({ appPort: app.port });
  await sidecar.sidecar.appLeft();
  await app.close();
  let isBack = false;
  const back = sidecar.sidecar.appReturned().then(() => (isBack = true));
  await sidecar.sidecar.appLeft();
  await back;
  expect(isBack).toBe(true);
  expect(await isHealthy(sidecar)).toBe(false);
  await using again = await startTestApp({ port: app.port });
  await sidecar.sidecar.appReturned();
  expect(again.at("/dapr/config")).toHaveLength(1);
  expect(await isHealthy(sidecar)).toBe(true);
});

it("follows the health of an app that is back", async () => {
  const appHealth = { enabled: true, path: "/healthz", probeIntervalMs: 50, probeTimeoutMs: 50, threshold: 1 };
  await using app = await startTestApp({ port: await freePort() });
  await using sidecar = await startTestSidecar({ appPort: app.port, appHealth });
  await sidecar.sidecar.appLeft();
  await app.close();
  const probesBefore = app.at("/healthz").length;
  await using again = await startTestApp({ port: app.port });
  await sidecar.sidecar.appReturned();
  await until("it is probed again", () => again.at("/healthz").length > 1);
  expect(app.at("/healthz")).toHaveLength(probesBefore);
});

it("reaches a gRPC app that is back", async () => {
  const answering = (text: string) => ({
    onInvoke: () => create(InvokeResponseSchema, { data: { typeUrl: "", value: Buffer.from(text) } }),
  });
  const first = await startGrpcApp(answering("first"), await freePort());
  await using sidecar = await startTestSidecar({ appPort: first.port, appProtocol: "grpc" });
  const call = async (): Promise<string> => await (await sidecar.fetch("/v1.0/invoke/test-app/method/x")).text();
  expect(await call()).toBe("first");
  await sidecar.sidecar.appLeft();
  await first[Symbol.asyncDispose]();
  await using _ = await startGrpcApp(answering("second"), first.port);
  await sidecar.sidecar.appReturned();
  expect(await call()).toBe("second");
});
