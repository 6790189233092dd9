import { create } from "@bufbuild/protobuf";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import type { QueryRequest } from "../../src/wire/gen/dapr/proto/components/v1/state_pb.js";
import { BulkPublishRequestSchema } from "../../src/wire/gen/dapr/proto/runtime/v1/pubsub_pb.js";
import { daprMethods } from "../harness/grpc-caller.ts";
import { inputBinding, outputBinding } from "../harness/pluggable/binding-services.ts";
import { pubSubService } from "../harness/pluggable/pubsub-service.ts";
import { secretService } from "../harness/pluggable/secret-service.ts";
import { inMemoryBroker, inMemoryStore, socketsFolder } from "../harness/pluggable/sidecar.ts";
import { stateServices } from "../harness/pluggable/state-services.ts";
import { component } from "../harness/resources.ts";
import { startTestApp } from "../harness/test-app.ts";
import { until } from "../harness/until.ts";

const post = (body: unknown): RequestInit => ({
  method: "POST",
  body: JSON.stringify(body),
  headers: { "content-type": "application/json" },
});

it("a state store: keys, bulks, etags, transactions with the store's limit, queries", async () => {
  await using folder = await socketsFolder();
  const inits: unknown[] = [];
  const queries: QueryRequest[] = [];
  const options = {
    features: ["ETAG", "TRANSACTIONAL"],
    operationsMax: 2,
    onInit: (one: unknown) => inits.push(one),
    queries,
  };
  const server = await folder.serve("Shelf.v2.sock", stateServices(await inMemoryStore(), options));
  const one = await folder.sidecar({ resources: component("store", "state.shelf.v2", { place: "cellar" }) });
  expect(inits).toEqual([{ place: "cellar" }]);
  expect(
    one.logger.said(
      "pluggable component 'Shelf.v2' was successfully registered for 'dapr.proto.components.v1.StateStore'",
    ),
  ).toBe(true);

  const saved = await one.fetch(
    "/v1.0/state/store",
    post([
      { key: "a", value: { n: 1 } },
      { key: "b", value: 2 },
    ]),
  );
  expect(saved.status).toBe(204);
  const read = await one.fetch("/v1.0/state/store/a");
  expect([read.status, await read.text()]).toEqual([200, '{"n":1}']);
  const etag = read.headers.get("etag");
  expect(etag).not.toBeNull();
  const bulk = await one.fetch("/v1.0/state/store/bulk", post({ keys: ["b", "none", "a"] }));
  expect(await bulk.json()).toMatchObject([{ key: "b", data: 2 }, { key: "none" }, { key: "a", data: { n: 1 } }]);
  expect((await one.fetch("/v1.0/state/store/none")).status).toBe(204);

  const stale = await one.fetch("/v1.0/state/store", post([{ key: "a", value: 3, etag: "999" }]));
  expect(stale.status).toBe(409);
  expect(await stale.json()).toEqual({
    errorCode: "ERR_STATE_SAVE",
    message: "failed saving state in state store store: possible etag mismatch. error from state store: it has changed",
  });

  const upsert = (key: string) => ({ operation: "upsert", request: { key, value: 1 } });
  const transact = (...keys: string[]) =>
    one.fetch("/v1.0/state/store/transaction", post({ operations: keys.map(upsert) }));
  expect((await transact("t1", "t2")).status).toBe(204);
  const tooMany = await transact("t3", "t4", "t5");
  expect([tooMany.status, await tooMany.json()]).toMatchObject([
    400,
    { message: "the transaction contains 3 operations, which is more than what the state store supports: 2" },
  ]);

  const query = {
    filter: { EQ: { "person.org": "A" } },
    sort: [{ key: "x", order: "DESC" }],
    page: { limit: 3, token: "t" },
  };
  const queried = await one.fetch("/v1.0-alpha1/state/store/query", post(query));
  expect(await queried.json()).toEqual({ results: [{ key: "found", data: "it", etag: "7" }], token: "next" });
  const [asked] = queries;
  expect(Buffer.from(asked?.query?.filter["EQ"]?.value ?? []).toString()).toBe('{"person.org":"A"}');
  expect(asked?.query?.sort).toMatchObject([{ key: "x", order: 1 }]);
  expect(asked?.query?.pagination).toMatchObject({ limit: 3n, token: "t" });
  expect([...server.instances].toSorted()).toEqual(["", "store"]);

  const { components } = (await (await one.fetch("/v1.0/metadata")).json()) as { components: unknown };
  expect(components).toEqual([
    { name: "store", type: "state.shelf.v2", version: "v1", capabilities: ["ETAG", "TRANSACTIONAL", "ACTOR"] },
  ]);
});

it("a broker: publish, bulk publish with the entries it refuses, deliveries one after the other, refusals", async () => {
  await using folder = await socketsFolder();
  const settled: string[] = [];
  await folder.serve("wire.sock", [pubSubService(await inMemoryBroker(), { features: ["BULK_PUBSUB"], settled })]);
  const events: unknown[] = [];
  await using app = await startTestApp({
    subscriptions: [{ pubsubname: "broker", topic: "orders", route: "/orders" }],
    answer: ({ url, body }) => {
      if (url !== "/orders") return undefined;
      const { data } = JSON.parse(body) as { data: unknown };
      events.push(data);
      return data === "refuse" ? { status: 500 } : undefined;
    },
  });
  const one = await folder.sidecar({ appPort: app.port, resources: component("broker", "pubsub.wire") });

  expect((await one.fetch("/v1.0/publish/broker/orders", post("first"))).status).toBe(204);
  await until("it is acknowledged", () => settled.includes("ok 1"));
  expect((await one.fetch("/v1.0/publish/broker/orders", post("refuse"))).status).toBe(204);
  await until("it is refused", () => settled.some((each) => each.startsWith("failed 2: ")));

  const entry = (entryId: string, metadata: Record<string, string> = {}) => ({
    entryId,
    contentType: "text/plain",
    metadata,
  });
  const entries = [entry("in"), entry("out", { refuse: "no room" })];
  const bulk = await one.fetch(
    "/v1.0-alpha1/publish/bulk/broker/orders",
    post(entries.map((one) => ({ ...one, event: one.entryId }))),
  );
  expect(bulk.status).toBe(204);
  await until("the other entry is delivered", () => settled.includes("ok 3"));
  // A broker that takes the list and refuses entries of it is told to callers of gRPC only, as in Dapr.
  const asked = create(BulkPublishRequestSchema, {
    pubsubName: "broker",
    topic: "orders",
    entries: entries.map((each) => ({ ...each, event: Buffer.from("x") })),
  });
  const { failedEntries } = await one.grpc.call(daprMethods.bulkPublishEvent, asked);
  expect(failedEntries).toMatchObject([{ entryId: "out", error: "no room" }]);
  expect(events.slice(0, 2)).toEqual(["first", "refuse"]);
});

it("a binding of both directions, of which the resource may allow one", async () => {
  await using folder = await socketsFolder();
  const input = inputBinding();
  await folder.serve("gate.sock", [input.service, outputBinding()]);
  await using app = await startTestApp({
    answer: ({ url, body }) => (url === "/both" ? { body: `got ${body}` } : undefined),
  });
  const one = await folder.sidecar({
    appPort: app.port,
    resources: [
      component("both", "bindings.gate", { direction: "input, output" }),
      component("out", "bindings.gate", { direction: "output" }),
    ].join("---\n"),
  });
  await until("the event is answered", () => {
    input.send("knock");
    return input.answers.length > 0;
  });
  expect(Buffer.from(input.answers[0]?.responseData ?? []).toString()).toBe("got knock");
  expect(input.answers[0]?.responseError).toBeUndefined();

  const created = await one.fetch(
    "/v1.0/bindings/out",
    post({ operation: "create", data: "x", metadata: { name: "n" } }),
  );
  expect([created.status, created.headers.get("metadata.stored")]).toEqual([200, "n"]);
  const got = await one.fetch("/v1.0/bindings/both", post({ operation: "get", metadata: { name: "n" } }));
  expect([got.status, await got.text()]).toEqual([200, '"x"']);
  const unknown = await one.fetch("/v1.0/bindings/out", post({ operation: "list" }));
  expect(await unknown.json()).toMatchObject({
    message: expect.stringContaining("binding out does not support operation list") as unknown,
  });
});

it("a secret store, also for the metadata of other components; several resources on one socket are told apart", async () => {
  await using folder = await socketsFolder();
  const secrets = secretService({ shelf: { place: "attic" } }, ["MULTIPLE_KEY_VALUES_PER_SECRET"]);
  const inits: unknown[] = [];
  const store = stateServices(await inMemoryStore(), { features: [], onInit: (one) => inits.push(one) });
  const server = await folder.serve("all.sock", [secrets, ...store]);
  const one = await folder.sidecar({
    resources: `${component("vault", "secretstores.all")}---
apiVersion: dapr.io/v1alpha1
kind: Component
metadata:
  name: store
spec:
  type: state.all
  version: v1
  metadata:
    - name: place
      secretKeyRef: { name: shelf, key: place }
auth:
  secretStore: vault
`,
  });
  expect(inits).toEqual([{ place: "attic" }]);
  expect(await (await one.fetch("/v1.0/secrets/vault/shelf")).json()).toEqual({ place: "attic" });
  expect(await (await one.fetch("/v1.0/secrets/vault/bulk")).json()).toEqual({ shelf: { place: "attic" } });
  expect(await (await one.fetch("/v1.0/secrets/vault/none")).json()).toEqual({
    errorCode: "ERR_SECRET_GET",
    message:
      "failed getting secret with key none from secret store vault: rpc error: code = NotFound desc = no secret none",
  });
  expect([...server.instances].toSorted()).toEqual(["", "store", "vault"]);
});

it("what is no component of ours is left out and told: files, sockets without reflection, other services", async () => {
  await using folder = await socketsFolder();
  await writeFile(join(folder.path, "note.txt"), "");
  await folder.serve("mute.sock", stateServices(await inMemoryStore(), { features: [] }), false);
  await folder.serve("in-memory.sock", stateServices(await inMemoryStore(), { features: ["ETAG"] }));
  const one = await folder.sidecar({ resources: component("store", "state.in-memory") });
  expect(one.logger.said(`could not use socket for file ${join(folder.path, "note.txt")}`)).toBe(true);
  expect(
    one.logger.said(
      `could not initialize pluggable components of ${join(folder.path, "mute.sock")}: unable to list services: rpc error: code = Unimplemented`,
    ),
  ).toBe(true);
  const { components } = (await (await one.fetch("/v1.0/metadata")).json()) as { components: unknown };
  // The one behind the socket takes the place of ours.
  expect(components).toMatchObject([{ name: "store", capabilities: ["ETAG"] }]);
});
