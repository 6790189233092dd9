import { create, fromBinary } from "@bufbuild/protobuf";
import { expect, it } from "vitest";
import { systemClock } from "../../src/kit/system-clock.ts";
import { createGrpcClient } from "../../src/net/grpc/client.ts";
import { methodsOf } from "../../src/net/grpc/protobuf.ts";
import { createH2Transport } from "../../src/net/h2/protocol/transport.ts";
import { ValueSchema } from "../../src/wire/gen/dapr/proto/components/state/v2/value_pb.js";
import { KV, PutRequestSchema, RangeRequestSchema } from "../../src/wire/gen/etcdserverpb/rpc_pb.js";
import { etcdMissing, etcdNote, startEtcdServer } from "../harness/etcd-server.ts";
import { component } from "../harness/resources.ts";
import { startTestSidecar, type TestSidecar } from "../harness/test-sidecar.ts";
import { freePort } from "../harness/test-app.ts";
import { until } from "../harness/until.ts";

const KEYS = methodsOf(KV);

function store(name: string, version: string, endpoints: string): string {
  return component(name, "state.etcd", { endpoints, keyPrefixPath: "here" }).replace(
    "version: v1",
    `version: ${version}`,
  );
}

async function save(one: TestSidecar, name: string, value: unknown, ttlInSeconds?: string): Promise<number> {
  const item = { key: "key", value, ...(ttlInSeconds === undefined ? {} : { metadata: { ttlInSeconds } }) };
  const headers = { "content-type": "application/json" };
  const answer = await one.fetch(`/v1.0/state/${name}`, { method: "POST", headers, body: JSON.stringify([item]) });
  await answer.arrayBuffer();
  return answer.status;
}

it.skipIf(etcdMissing !== undefined)(
  `what state.etcd stores is what Dapr stores, in both versions, and it reads Dapr's${etcdNote}`,
  async () => {
    await using server = await startEtcdServer();
    const client = createGrpcClient(createH2Transport(), server.address);
    const at = async (key: string): Promise<Uint8Array> => {
      const { response } = await client.unary(KEYS.range, create(RangeRequestSchema, { key: Buffer.from(key) }));
      return response.kvs[0]?.value ?? new Uint8Array(0);
    };
    await using one = await startTestSidecar({
      resources: [store("first", "v1", server.address), store("second", "v2", server.address)].join("---\n"),
    });
    expect(await save(one, "first", { a: 1 })).toBe(204);
    expect(Buffer.from(await at("here/test-app||key")).toString()).toBe('{"a":1}');

    expect(await save(one, "second", { a: 2 }, "60")).toBe(204);
    const value = fromBinary(ValueSchema, await at("here/test-app||key"));
    expect(Buffer.from(value.data).toString()).toBe('{"a":2}');
    expect(value.ttl?.seconds).toBe(60n);
    expect(Math.abs(Number(value.ts?.seconds) - systemClock.now() / 1_000)).toBeLessThan(60);

    // As Dapr 1.18 writes `"theirs"` without a lifetime: data, a time, and an empty lifetime.
    const theirs = Buffer.from("0a08227468656972732212060880dbdac7061a00", "hex");
    await client.unary(
      KEYS.put,
      create(PutRequestSchema, { key: Buffer.from("here/test-app||theirs"), value: theirs }),
    );
    const got = await one.fetch("/v1.0/state/second/theirs");
    expect([await got.text(), got.headers.get("metadata.ttlexpiretime")]).toEqual(['"theirs"', null]);
    await client.close();
  },
);

it("a sidecar starts without its etcd, as with Dapr, and says what is wrong when it is used", async () => {
  const endpoints = `127.0.0.1:${await freePort()}`;
  await using one = await startTestSidecar({ resources: store("store", "v2", endpoints) });
  const got = await one.fetch("/v1.0/state/store/key");
  expect(got.status).toBe(500);
  expect(await got.text()).toContain("couldn't get key here/test-app||key");
  const { components } = (await (await one.fetch("/outrigger/v1/components")).json()) as {
    components: { condition: string; reason: string }[];
  };
  expect(components[0]).toMatchObject({ condition: "degraded", reason: expect.stringContaining(endpoints) as string });
});

it.skipIf(etcdMissing !== undefined)(
  `an etcd that is lost degrades its store until it is back, with nobody asking${etcdNote}`,
  async () => {
    await using server = await startEtcdServer();
    await using one = await startTestSidecar({ resources: store("store", "v2", server.address) });
    const condition = async (): Promise<string | undefined> => {
      const answer = await one.fetch("/outrigger/v1/components");
      return ((await answer.json()) as { components: { condition: string }[] }).components[0]?.condition;
    };
    expect(await save(one, "store", 1)).toBe(204);
    await server.kill();
    expect(await save(one, "store", 2)).toBe(500);
    expect(await condition()).toBe("degraded");
    await server.start();
    await until("the store is ready again", async () => (await condition()) === "ready");
    expect(await save(one, "store", 3)).toBe(204);
    expect(await (await one.fetch("/v1.0/state/store/key")).text()).toBe("3");
  },
);
