import type { LoadTarget } from "./http-load.ts";

/** Bytes of every value, as in the published figures. */
const VALUE_BYTES = 1024;

/** One measured operation: how a started sidecar is prepared for it, and the request that is repeated. */
export interface Operation {
  readonly name: string;
  /** The yardstick whose cost the figure is a multiple of. */
  readonly yardstick: "E" | "P";
  /** Most multiples that the project aims at. */
  readonly aim: number;
  /** `pair` measures two sidecars with an app behind the second. */
  readonly topology: "single" | "pair";
  /** Requests a second at which latency is taken. */
  readonly fixedRate: number;
  readonly prepare?: LoadRequest;
  readonly request: LoadRequest;
}

export type LoadRequest = Omit<LoadTarget, "port">;

export const RESOURCES = `apiVersion: dapr.io/v1alpha1
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

const json = { "content-type": "application/json" };
const value = JSON.stringify("x".repeat(VALUE_BYTES - 2));
const save: LoadRequest = {
  method: "POST",
  path: "/v1.0/state/store",
  headers: json,
  body: Buffer.from(`[{"key":"order-1","value":${value}}]`),
  expectStatus: 204,
};

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
    name: "invoke",
    yardstick: "P",
    aim: 3.7,
    topology: "pair",
    fixedRate: 1000,
    request: { method: "GET", path: "/v1.0/invoke/bench-callee/method/echo", expectStatus: 200 },
  },
];
