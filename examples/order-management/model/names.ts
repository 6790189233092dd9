import type { OrderStatus } from "./order.ts";

/** Dapr app ids, as `startSidecarGroup` (or `daprd --app-id`) is told them. */
export const FACADE_APP = "facade";
export const STOCK_APP = "stock";

/** Component names: `metadata.name` in `resources/`. */
export const ORDER_STORE = "orderstore";
export const STOCK_STORE = "stockstore";
export const ORDER_PUBSUB = "orderpubsub";

/** The topic on which each outcome of an order is published; every order is published on exactly one. */
export const TOPIC_OF = {
  placed: "order-placed",
  rejected: "order-rejected",
  cancelled: "order-cancelled",
  "written-off": "stock-written-off",
} as const satisfies Record<OrderStatus, string>;

/** What the stock service answers to by service invocation. */
export const STOCK_METHODS = { open: "open", move: "move", onHand: "on-hand", summary: "summary" } as const;

/** The order store holds one record per order. */
export function orderKey(orderId: string): string {
  return `order:${orderId}`;
}

/** The stock store holds one record per stock code … */
export function itemKey(code: string): string {
  return `item:${code}`;
}

/** … and one per order: what it moved, how far that has come, and which event told of it. */
export function movementKey(orderId: string): string {
  return `movement:${orderId}`;
}
