import { create } from "@bufbuild/protobuf";
import { expect, it } from "vitest";
import type { ActorCall, ActorTickCall } from "../../app/actor-host.ts";
import type { ActorsBlock } from "../../blocks/actors/actors-block.ts";
import type { RequestHead } from "../../mesh/messages.ts";
import { callActorReminder } from "../../mesh/reminder-message.ts";
import { callActor } from "../../mesh/service-invocation.ts";
import { createGrpcClient } from "../../net/grpc/client.ts";
import { GrpcServer } from "../../net/grpc/server.ts";
import { MemoryTransport } from "../../net/h2/memory.ts";
import { ReminderSchema } from "../../wire/gen/dapr/proto/internals/v1/reminders_pb.js";
import { createErrorMapper } from "../grpc/door.ts";
import { silentLogger } from "../../kit/silent-logger.ts";
import { addPeerActors } from "./actors.ts";

const ADMIN = "../../../../admin";

function setUp() {
  const heard: string[] = [];
  const actors = {
    callFromPeer: async ({ type, id, method }: ActorCall) => {
      heard.push(`${type}/${id}/${method}`);
      const body = Buffer.from("");
      return { status: { kind: "http", code: 200 }, headers: [], contentType: "", body, isError: false } as const;
    },
    fireFromPeer: async ({ type, id, name }: ActorTickCall) => void heard.push(`${type}/${id}/${name}`),
  };
  const server = new GrpcServer({ mapError: createErrorMapper(silentLogger, () => undefined) });
  addPeerActors(server, actors as Partial<ActorsBlock> as ActorsBlock);
  const transport = new MemoryTransport();
  transport.bind("peer", server.accept);
  const client = createGrpcClient(transport, "peer");
  const answered = (call: Promise<unknown>): Promise<string> =>
    call.then(
      () => "OK",
      (error: Error) => error.message,
    );
  return {
    heard,
    call: (type: string, id: string, method: string) =>
      answered(client.unary(callActor, requestOf({ type, id }, method))),
    fire: (actorType: string, actorId: string) =>
      answered(client.unary(callActorReminder, create(ReminderSchema, { actorType, actorId, name: "r" }))),
  };
}

/** As another sidecar could send it. */
function requestOf(actor: RequestHead["actor"], method: string): RequestHead {
  return {
    headers: [],
    origin: "http",
    method,
    verb: "PUT",
    query: "",
    contentType: "",
    typeUrl: "",
    data: undefined,
    stamps: undefined,
    hasMessage: true,
    hasMetadata: true,
    actor,
  };
}

it.each([
  ["place/order", "place/order"],
  [ADMIN, "admin"],
  ["a/./b//c/", "a/b/c"],
])("a peer's method %s stays below its actor", async (method, canonical) => {
  const { heard, call } = setUp();
  expect(await call("cart", "7", method)).toBe("OK");
  expect(heard).toEqual([`cart/7/${canonical}`]);
});

it.each(["admin?x=1", "admin#", "a\0b"])("a peer's method %j is refused", async (method) => {
  const { heard, call } = setUp();
  expect(await call("cart", "7", method)).toContain("invalid method: method contains forbidden character");
  expect(heard).toEqual([]);
});

it.each([
  ["cart", `7/${ADMIN}`],
  ["cart", ".."],
  ["..", "7"],
  ["cart/.", "7"],
])("a peer's actor %s %s, which leads out of the actors' paths, is refused", async (type, id) => {
  const { heard, call, fire } = setUp();
  expect(await call(type, id, "m")).toContain("the actor's type or id leads out of its paths");
  expect(await fire(type, id)).toContain("the actor's type or id leads out of its paths");
  expect(heard).toEqual([]);
});

it("other ids come as they are", async () => {
  const { heard, call, fire } = setUp();
  expect([await call("cart", "a/b..c", "m"), await fire("cart", ".a/b")]).toEqual(["OK", "OK"]);
  expect(heard).toEqual(["cart/a/b..c/m", "cart/.a/b/r"]);
});
