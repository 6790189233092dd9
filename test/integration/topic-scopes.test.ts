import { create } from "@bufbuild/protobuf";
import { status } from "@grpc/grpc-js";
import { expect, it } from "vitest";
import {
  BulkPublishRequestSchema,
  PublishEventRequestSchema,
} from "../../src/wire/gen/dapr/proto/runtime/v1/pubsub_pb.js";
import { daprMethods } from "../harness/grpc-caller.ts";
import { component } from "../harness/resources.ts";
import { startTestApp } from "../harness/test-app.ts";
import { startTestSidecar } from "../harness/test-sidecar.ts";
import { until } from "../harness/until.ts";

it("topics outside an app's scopes can neither be published to nor subscribed to", async () => {
  const resources = [
    component("allowed", "pubsub.in-memory", { allowedTopics: "a,b" }),
    component("guarded", "pubsub.in-memory", { protectedTopics: "a", publishingScopes: "other=a" }),
    component("scoped", "pubsub.in-memory", {
      publishingScopes: "test-app=a;other=b",
      subscriptionScopes: "test-app=a, b",
    }),
    component("silenced", "pubsub.in-memory", { publishingScopes: "test-app=" }),
  ].join("---\n");
  const brokers = ["allowed", "guarded", "scoped", "silenced"];
  await using app = await startTestApp({
    subscriptions: brokers.flatMap((pubsubname) =>
      ["a", "b", "c"].map((topic) => ({ pubsubname, topic, route: `/${pubsubname}/${topic}` })),
    ),
  });
  await using one = await startTestSidecar({ appPort: app.port, resources });
  const published: string[] = [];
  for (const broker of brokers) {
    for (const topic of ["a", "b", "c"]) {
      const response = await one.fetch(`/v1.0/publish/${broker}/${topic}`, { method: "POST", body: "x" });
      if (response.status === 204) {
        published.push(`/${broker}/${topic}`);
      } else {
        expect([response.status, await response.json()]).toEqual([
          403,
          expect.objectContaining({
            errorCode: "ERR_PUBSUB_FORBIDDEN",
            message: `topic ${topic} is not allowed for app id test-app`,
          }),
        ]);
      }
    }
  }
  expect(published).toEqual(["/allowed/a", "/allowed/b", "/guarded/b", "/guarded/c", "/scoped/a"]);
  await until("all are delivered", () => published.every((url) => app.at(url).length === 1));
  const refused = ["allowed c", "guarded a", "scoped c"].map((names) => {
    const [pubsub, topic] = names.split(" ");
    return one.logger.said(
      `Failed to start subscription for pubsub ${pubsub}, topic ${topic}: subscription to topic '${topic}' on pubsub '${pubsub}' is not allowed`,
    );
  });
  expect(refused).toEqual([true, true, true]);

  const request = { pubsubName: "silenced", topic: "a" };
  const forbidden = { code: status.PERMISSION_DENIED, message: "topic a is not allowed for app id test-app" };
  expect(await one.grpc.failure(daprMethods.publishEvent, create(PublishEventRequestSchema, request))).toMatchObject(
    forbidden,
  );
  const bulk = create(BulkPublishRequestSchema, { ...request, entries: [{ entryId: "1" }] });
  expect(await one.grpc.failure(daprMethods.bulkPublishEvent, bulk)).toMatchObject(forbidden);
});
