/** Dapr app ids, as in `dapr.yaml`; each is also the name of the app's folder. */
export const APPS = {
  facade: "facade",
  orders: "orders",
  stock: "stock",
  orderConfirmation: "order-confirmation",
} as const;

/** Actor types: an actor for each order, for each stock code, and for each invoice that moves goods without an order. */
export const ACTORS = { order: "OrderActor", stock: "StockActor", transfer: "TransferActor" } as const;

/** Component names: of `resources/`, and the broker that every Dapr installation brings, like the actors' state store. */
export const COMPONENTS = {
  pubsub: "pubsub",
  confirmations: "confirmations",
  secrets: "secrets",
  settings: "settings",
} as const;

/** Pub/sub topics; `messages.ts` has what is sent on each. */
export const TOPICS = { orderPaid: "order-paid" } as const;

/** Name of the secret, and of its only value, in the component `secrets`. */
export const API_KEY_SECRET = "facade-api-key";

/** The façade's write routes need it, with the secret's value. */
export const API_KEY_HEADER = "x-api-key";

/** Configuration item: how many seconds goods stay reserved for an order that is not paid. */
export const RESERVATION_SECONDS_SETTING = "reservation-seconds";

/** What the stock service answers to by service invocation; requests and answers are in `stock-commands.ts`. */
export const STOCK_METHODS = { open: "open" } as const;

/** State of an order actor: an `OrderRecord`. */
export const ORDER_STATE = "order";

/** State of a transfer actor: a `Transfer`. */
export const TRANSFER_STATE = "transfer";

/** State of a stock actor: `StockBooks`. */
export const BOOKS_STATE = "books";

/** State of a stock actor: the `Movement` of one owner. */
export function movementState(owner: string): string {
  return `movement:${owner}`;
}

/** Whose goods a stock actor moves: an order's. */
export function orderOwner(id: string): string {
  return `order:${id}`;
}

/** Whose goods a stock actor moves: a transfer's. An order and a transfer of the same number share no movement. */
export function transferOwner(id: string): string {
  return `transfer:${id}`;
}
