import { create } from "@bufbuild/protobuf";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { PubSub, PublishRequest } from "../../src/components/spi/pubsub.ts";
import { GRPC_STATUS } from "../../src/errors/grpc-status.ts";
import { GrpcError } from "../../src/net/grpc/status.ts";
import { PublishEventRequestSchema } from "../../src/wire/gen/dapr/proto/runtime/v1/pubsub_pb.js";
import { daprMethods } from "../harness/grpc-caller.ts";
import { pubSubService } from "../harness/pluggable/pubsub-service.ts";
import { inMemoryBroker, type SocketsFolder, socketsFolder } from "../harness/pluggable/sidecar.ts";
import { component } from "../harness/resources.ts";
import type { TestSidecar } from "../harness/test-sidecar.ts";

const RESILIENCY = `
apiVersion: dapr.io/v1alpha1
kind: Resiliency
metadata: { name: patience }
spec:
  policies:
    retries:
      http: { policy: constant, duration: 1ms, maxRetries: 3, matching: { httpStatusCodes: "429,500-599" } }
      grpc: { policy: constant, duration: 1ms, maxRetries: 3, matching: { gRPCStatusCodes: "8,13-14" } }
      any: { policy: constant, duration: 1ms, maxRetries: 3 }
  targets:
    components:
      http: { outbound: { retry: http } }
      grpc: { outbound: { retry: grpc } }
      any: { outbound: { retry: any } }
---
`;

/** A broker that fails every publish with the code that its topic names. */
class FailingBroker {
  readonly published: PublishRequest[] = [];

  async publish(request: PublishRequest): Promise<void> {
    this.published.push(request);
    const code = GRPC_STATUS[request.topic as keyof typeof GRPC_STATUS];
    throw new GrpcError(code, "the broker says no");
  }

  attempts(topic: string): number {
    return this.published.filter((request) => request.topic === topic).length;
  }
}

describe("a broker behind gRPC that fails", () => {
  let folder: SocketsFolder;
  let one: TestSidecar;
  let broker: FailingBroker;
  beforeAll(async () => {
    folder = await socketsFolder();
    broker = new FailingBroker();
    const failing: PubSub = Object.assign(await inMemoryBroker(), {
      publish: (request: PublishRequest) => broker.publish(request),
    });
    await folder.serve("sour.sock", [pubSubService(failing, { features: [] })]);
    const brokers = ["http", "grpc", "any"].map((name) => component(name, "pubsub.sour")).join("---\n");
    one = await folder.sidecar({ resources: RESILIENCY + brokers });
  });
  afterAll(async () => await folder[Symbol.asyncDispose]());

  it.each([
    ["http", "UNAVAILABLE", 4],
    ["http", "RESOURCE_EXHAUSTED", 4],
    ["http", "FAILED_PRECONDITION", 1],
    ["any", "NOT_FOUND", 4],
  ])("over HTTP, policy %s: %s is published %i times", async (pubsub, topic, times) => {
    broker.published.length = 0;
    const response = await one.fetch(`/v1.0/publish/${pubsub}/${topic}`, { method: "POST", body: "1" });
    expect(response.status).not.toBe(204);
    expect(broker.attempts(topic)).toBe(times);
  });

  it.each([
    ["grpc", "UNAVAILABLE", 4],
    ["grpc", "INTERNAL", 4],
    ["grpc", "FAILED_PRECONDITION", 1],
    ["any", "ABORTED", 4],
  ])("over gRPC, policy %s: %s is published %i times", async (pubsubName, topic, times) => {
    broker.published.length = 0;
    await one.grpc.failure(daprMethods.publishEvent, create(PublishEventRequestSchema, { pubsubName, topic }));
    expect(broker.attempts(topic)).toBe(times);
  });
});
