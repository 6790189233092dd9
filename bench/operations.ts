import { create, type DescMessage, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { InvokeServiceRequestSchema } from "../src/wire/gen/dapr/proto/runtime/v1/invoke_pb.js";
import { PublishEventRequestSchema } from "../src/wire/gen/dapr/proto/runtime/v1/pubsub_pb.js";
import { GetStateRequestSchema, SaveStateRequestSchema } from "../src/wire/gen/dapr/proto/runtime/v1/state_pb.js";
import type { LoadRequest, Operation } from "./operation.ts";
import { STATEFUL_OPERATIONS } from "./stateful-operations.ts";

/** Bytes of every value, as in the published figures. */
const VALUE_BYTES = 1024;

const RESOURCES = `apiVersion: dapr.io/v1alpha1
kind: Component
metadata:
  name: store
spec:
  type: state.in-memory
  version: v1
---
apiVersion: dapr.io/v1alpha1
kind: Component
metadata:
  name: broker
spec:
  type: pubsub.in-memory
  version: v1
`;

const POLICY = `apiVersion: dapr.io/v1alpha1
kind: Resiliency
metadata:
  name: policy
spec:
  policies:
    timeouts: { general: 5s }
    retries: { thrice: { policy: constant, duration: 1s, maxRetries: 3 } }
    circuitBreakers: { simple: { maxRequests: 1, timeout: 30s, trip: consecutiveFailures >= 5 } }
  targets:
    components:
      store: { outbound: { timeout: general, retry: thrice, circuitBreaker: simple } }
---
`;

const DATABASE = "state.db";

/** The store of actors, in memory. */
const ACTOR_RESOURCES = RESOURCES.replace(
  "type: state.in-memory\n  version: v1\n",
  `type: state.in-memory
  version: v1
  metadata:
    - name: actorStateStore
      value: "true"
`,
);

/** The resources of an operation: what is measured without a disk does not open one. */
export function resourcesOf(operation: Operation | undefined, folder: string): string {
  if (operation?.policy === true) {
    return POLICY + RESOURCES;
  }
  if (operation?.topology === "stateful") {
    return ACTOR_RESOURCES;
  }
  return operation?.database === undefined
    ? RESOURCES
    : `${RESOURCES}---
apiVersion: dapr.io/v1alpha1
kind: Component
metadata:
  name: sqlite
spec:
  type: state.sqlite
  version: v1
  metadata:
    - name: connectionString
      value: ${folder}/${operation.database}
`;
}

const json = { "content-type": "application/json" };
const value = JSON.stringify("x".repeat(VALUE_BYTES - 2));
const save: LoadRequest = {
  method: "POST",
  path: "/v1.0/state/store",
  headers: json,
  body: Buffer.from(`[{"key":"order-1","value":${value}}]`),
  expectStatus: 204,
};

const saveSqlite: LoadRequest = { ...save, path: "/v1.0/state/sqlite" };

const valueBytes = Buffer.from(value);

/** Messages of one bulk publish. */
const BULK_MESSAGES = 100;

const bulk = Array.from(
  { length: BULK_MESSAGES },
  (_, index) => `{"entryId":"${index}","event":${value},"contentType":"text/plain"}`,
);

/** A unary call of Dapr's API. */
function grpc<Desc extends DescMessage>(method: string, schema: Desc, message: MessageInitShape<Desc>): LoadRequest {
  const body = toBinary(schema, create(schema, message));
  return { method: "POST", path: `/dapr.proto.runtime.v1.Dapr/${method}`, body, grpc: true, expectStatus: 200 };
}

/** The operations in the order they are measured. */
export const OPERATIONS: readonly Operation[] = [
  {
    name: "state-get",
    yardstick: "E",
    aim: 2.5,
    topology: "single",
    fixedRate: 5000,
    prepare: save,
    request: { method: "GET", path: "/v1.0/state/store/order-1", expectStatus: 200 },
  },
  { name: "state-save", yardstick: "E", aim: 3.5, topology: "single", fixedRate: 5000, request: save },
  {
    name: "state-get-policy",
    yardstick: "E",
    aim: 3,
    topology: "single",
    fixedRate: 5000,
    policy: true,
    prepare: save,
    request: { method: "GET", path: "/v1.0/state/store/order-1", expectStatus: 200 },
  },
  {
    name: "state-get-sqlite",
    yardstick: "E",
    aim: 4.5,
    topology: "single",
    fixedRate: 5000,
    database: DATABASE,
    prepare: saveSqlite,
    request: { method: "GET", path: "/v1.0/state/sqlite/order-1", expectStatus: 200 },
  },
  {
    name: "state-save-sqlite",
    yardstick: "E",
    aim: 6,
    topology: "single",
    fixedRate: 5000,
    database: DATABASE,
    request: saveSqlite,
  },
  {
    name: "publish",
    yardstick: "E",
    aim: 3.5,
    topology: "single",
    fixedRate: 5000,
    request: {
      method: "POST",
      path: "/v1.0/publish/broker/orders",
      headers: json,
      body: Buffer.from(value),
      expectStatus: 204,
    },
  },
  {
    name: "bulk-publish",
    yardstick: "E",
    aim: 0.85,
    topology: "single",
    fixedRate: 200,
    unitsPerRequest: BULK_MESSAGES,
    request: {
      method: "POST",
      path: "/v1.0/publish/bulk/broker/orders",
      headers: json,
      body: Buffer.from(`[${bulk.join(",")}]`),
      expectStatus: 204,
    },
  },
  {
    name: "publish-deliver",
    yardstick: "P",
    aim: 4,
    topology: "subscriber",
    fixedRate: 2000,
    request: {
      method: "POST",
      path: "/v1.0/publish/broker/orders",
      headers: json,
      body: Buffer.from(value),
      expectStatus: 204,
    },
  },
  {
    name: "invoke",
    yardstick: "P",
    aim: 3.7,
    topology: "pair",
    fixedRate: 1000,
    request: { method: "GET", path: "/v1.0/invoke/bench-callee/method/echo", expectStatus: 200 },
  },
  {
    name: "state-get-grpc",
    yardstick: "E",
    aim: 2.6,
    topology: "single",
    fixedRate: 5000,
    prepare: save,
    request: grpc("GetState", GetStateRequestSchema, { storeName: "store", key: "order-1" }),
  },
  {
    name: "state-save-grpc",
    yardstick: "E",
    aim: 3.1,
    topology: "single",
    fixedRate: 5000,
    request: grpc("SaveState", SaveStateRequestSchema, {
      storeName: "store",
      states: [{ key: "order-1", value: valueBytes }],
    }),
  },
  {
    name: "publish-grpc",
    yardstick: "E",
    aim: 3.6,
    topology: "single",
    fixedRate: 5000,
    request: grpc("PublishEvent", PublishEventRequestSchema, {
      pubsubName: "broker",
      topic: "orders",
      data: valueBytes,
      dataContentType: "application/json",
    }),
  },
  {
    name: "invoke-grpc",
    yardstick: "P",
    aim: 2.8,
    topology: "grpc-pair",
    fixedRate: 1000,
    request: grpc("InvokeService", InvokeServiceRequestSchema, {
      id: "bench-callee",
      message: { method: "echo", contentType: "application/octet-stream" },
    }),
  },
  {
    name: "proxy-grpc",
    yardstick: "P",
    aim: 1,
    topology: "grpc-pair",
    fixedRate: 1000,
    request: {
      method: "POST",
      path: "/bench.Orders/Place",
      headers: { "dapr-app-id": "bench-callee" },
      body: valueBytes,
      grpc: true,
      expectStatus: 200,
    },
  },
  ...STATEFUL_OPERATIONS,
];
