import { create } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { GRPC_STATUS } from "../../src/errors/grpc-status.ts";
import { methodsOf } from "../../src/net/grpc/protobuf.ts";
import { ListStateRequestSchema, State } from "../../src/wire/gen/outrigger/v1/state_pb.js";
import { component, configuration, IN_MEMORY } from "../harness/resources.ts";
import { startTestSidecar, type TestSidecar } from "../harness/test-sidecar.ts";

const { listState } = methodsOf(State);
const LIST = "/outrigger/v1/state/store";

async function save(one: TestSidecar, keys: readonly string[]): Promise<void> {
  const body = JSON.stringify(keys.map((key) => ({ key, value: `value of ${key}` })));
  expect((await one.fetch("/v1.0/state/store", { method: "POST", body })).status).toBe(204);
}

describe("the listing of a state store", () => {
  it("gives the app's keys page by page, over HTTP and gRPC alike", async () => {
    await using one = await startTestSidecar({ resources: IN_MEMORY });
    await save(one, ["order-2", "order-1", "basket-1", "order-3"]);
    const page = (await (await one.fetch(`${LIST}?prefix=order-&pageSize=2`)).json()) as { token: string };
    expect(page).toEqual({ items: [{ key: "order-1" }, { key: "order-2" }], token: expect.any(String) as unknown });
    const request = create(ListStateRequestSchema, {
      storeName: "store",
      prefix: "order-",
      token: page.token,
      includeValues: true,
    });
    const last = await one.grpc.call(listState, request);
    expect(last.items.map(({ key, value }) => [key, Buffer.from(value).toString()])).toEqual([
      ["order-3", '"value of order-3"'],
    ]);
    expect(last.token).toBe("");
  });

  it("is denied and kept behind the token like the rest of the state API", async () => {
    const denied = configuration(
      "  api:\n    denied:\n      - { name: state, version: v1, protocol: http }\n      - { name: state, version: v1, protocol: grpc }\n",
    );
    const request = create(ListStateRequestSchema, { storeName: "store" });
    {
      await using one = await startTestSidecar({ resources: IN_MEMORY, configuration: denied });
      expect((await one.fetch(LIST)).status).toBe(404);
      expect((await one.grpc.failure(listState, request)).code).toBe(GRPC_STATUS.UNIMPLEMENTED);
    }
    await using guarded = await startTestSidecar({ resources: IN_MEMORY, apiToken: "secret" });
    expect((await guarded.fetch(LIST)).status).toBe(401);
    expect((await guarded.fetch(LIST, { headers: { "dapr-api-token": "secret" } })).status).toBe(200);
    expect((await guarded.grpc.failure(listState, request)).code).toBe(GRPC_STATUS.UNAUTHENTICATED);
  });

  it("is no capability that Dapr's metadata would know", async () => {
    await using one = await startTestSidecar({ resources: component("store", "state.in-memory") });
    const { components } = (await (await one.fetch("/v1.0/metadata")).json()) as {
      components: readonly { readonly capabilities: readonly string[] }[];
    };
    expect(components[0]?.capabilities).toEqual([
      "ETAG",
      "TRANSACTIONAL",
      "TTL",
      "DELETE_WITH_PREFIX",
      "KEYS_LIKE",
      "ACTOR",
    ]);
  });
});
