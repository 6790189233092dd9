import { create } from "@bufbuild/protobuf";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { GRPC_STATUS } from "../../src/errors/grpc-status.ts";
import { InvokeActorRequestSchema } from "../../src/wire/gen/dapr/proto/runtime/v1/actors_pb.js";
import { ActorCluster, type ActorMember } from "../harness/actor-cluster.ts";
import { daprMethods } from "../harness/grpc-caller.ts";
import type { TestSidecar } from "../harness/test-sidecar.ts";

let cluster: ActorCluster;
let host: ActorMember;
/** Without an app: every call goes to the host's sidecar. */
let peer: TestSidecar;

beforeAll(async () => {
  cluster = await ActorCluster.start();
  host = await cluster.add({
    answer({ url }) {
      switch (url.split("/").at(-1)) {
        case "fails":
          return { status: 500, body: "custom error" };
        case "unsound":
          return { headers: { "x-DaprErrorResponseHeader": "Simulated error header" }, body: "why" };
        case "missing":
          return { status: 404 };
        default:
          return { headers: { "x-kind": "answer" }, body: "fine" };
      }
    },
  });
  peer = await cluster.addSidecar();
  await host.ready();
});
afterAll(() => cluster[Symbol.asyncDispose]());

const sidecars = () => [host.sidecar, peer];
const request = (method: string, actorId = "1") =>
  create(InvokeActorRequestSchema, { actorType: "t", actorId, method });
const timesCalled = (method: string): number => host.app.at(`/actors/t/1/method/${method}`).length;

describe.each(["the host's sidecar", "another sidecar"])("a call through %s", (through) => {
  const sidecar = (): TestSidecar => (through === "another sidecar" ? peer : host.sidecar);

  it("gives the app's answer back", async () => {
    const reply = await sidecar().fetch("/v1.0/actors/t/1/method/fine", { method: "POST" });
    expect([reply.status, reply.headers.get("x-kind"), await reply.text()]).toEqual([200, "answer", "fine"]);
    const { data } = await sidecar().grpc.call(daprMethods.invokeActor, request("fine"));
    expect(Buffer.from(data).toString()).toBe("fine");
  });

  it("gives back what the app's error header belongs to", async () => {
    const reply = await sidecar().fetch("/v1.0/actors/t/1/method/unsound", { method: "POST" });
    expect([reply.status, await reply.text()]).toEqual([200, "why"]);
    const { data } = await sidecar().grpc.call(daprMethods.invokeActor, request("unsound"));
    expect(Buffer.from(data).toString()).toBe("why");
  });

  it("that the app fails is told in Dapr's words, and called once", async () => {
    const before = timesCalled("fails");
    const failure = await sidecar().grpc.failure(daprMethods.invokeActor, request("fails"));
    const text = "error invoke actor method: error from actor service: (500) custom error";
    expect([failure.code, failure.message]).toEqual([GRPC_STATUS.INTERNAL, text]);
    const reply = await sidecar().fetch("/v1.0/actors/t/1/method/fails");
    const told =
      through === "another sidecar" ? `error invoke actor method: rpc error: code = Internal desc = ${text}` : text;
    expect([reply.status, await reply.json()]).toEqual([500, { errorCode: "ERR_ACTOR_INVOKE_METHOD", message: told }]);
    expect(timesCalled("fails")).toBe(before + 2);
  });

  it("of a method that the app does not know says so", async () => {
    const failure = await sidecar().grpc.failure(daprMethods.invokeActor, request("missing"));
    expect(failure.message).toContain("actor method not found: actors/t/1/method/missing");
  });

  it.each(["a?b=c", "a#b", "a\u0000b", "a\rb", "a\nb"])("of the method %j is refused", async (method) => {
    const before = host.app.requests.length;
    const failure = await sidecar().grpc.failure(daprMethods.invokeActor, request(method));
    expect(failure.code).toBe(GRPC_STATUS.INVALID_ARGUMENT);
    const reply = await sidecar().fetch(`/v1.0/actors/t/1/method/${encodeURIComponent(method)}`, { method: "POST" });
    expect([reply.status, host.app.requests.length]).toEqual([400, before]);
  });

  it.each(["a/b", "a\\b", "a?b", "a#b", "..", "a\u0000b"])("of the actor %j is refused", async (id) => {
    const before = host.app.requests.length;
    const failure = await sidecar().grpc.failure(daprMethods.invokeActor, request("fine", id));
    expect([failure.code, host.app.requests.length]).toEqual([GRPC_STATUS.INVALID_ARGUMENT, before]);
  });
});

it("a path in a method stays within its actor", async () => {
  for (const sidecar of sidecars()) {
    await sidecar.grpc.call(daprMethods.invokeActor, request("a/../fine")).catch(() => undefined);
  }
  const outside = host.app.requests.filter(
    ({ method, url }) => method === "PUT" && !url.startsWith("/actors/t/1/method/"),
  );
  expect(outside).toEqual([]);
});
