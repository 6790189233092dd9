/** Dapr app ids, as in `dapr.yaml`; each is also the name of the app's folder. */
export const APPS = {
  facade: "facade",
  orders: "orders",
  stock: "stock",
  orderConfirmation: "order-confirmation",
  reservationCancellation: "reservation-cancellation",
} as const;

/** Component names: of `resources/`, and the two that every Dapr installation brings. */
export const COMPONENTS = {
  /** One store for all; Dapr puts `<app id>||` before every key of an app. */
  stateStore: "statestore",
  pubsub: "pubsub",
  confirmations: "confirmations",
  expirySweep: "expiry-sweep",
  secrets: "secrets",
  settings: "settings",
} as const;

/** Pub/sub topics; `messages.ts` has what is sent on each. */
export const TOPICS = {
  reservationRequested: "reservation-requested",
  reservationCancelled: "reservation-cancelled",
  orderPlaced: "order-placed",
} as const;

/** Name of the secret, and of its only value, in the component `secrets`. */
export const API_KEY_SECRET = "facade-api-key";

/** The façade's write routes need it, with the secret's value. */
export const API_KEY_HEADER = "x-api-key";

/** Configuration item: how many seconds a reservation lives. */
export const RESERVATION_SECONDS_SETTING = "reservation-seconds";

/** What the stock service answers to by service invocation; requests and answers are in `stock-methods.ts`. */
export const STOCK_METHODS = {
  open: "open",
  reserve: "reserve",
  commit: "commit",
  release: "release",
  transfer: "transfer",
  availability: "availability",
} as const;

/** What the orders service answers to by service invocation; requests and answers are in `order-methods.ts`. */
export const ORDERS_METHODS = { place: "place", find: "find", conclude: "conclude", cancel: "cancel" } as const;

/** Of the orders service: an `OrderRecord`. */
export function orderKey(orderId: string): string {
  return `order:${orderId}`;
}

/** Of the stock service: a `StockItem`. */
export function itemKey(code: string): string {
  return `item:${code}`;
}

/** Of the stock service: a `Reservation`. */
export function reservationKey(id: string): string {
  return `reservation:${id}`;
}

/** Of the stock service: a `Transfer`. */
export function transferKey(id: string): string {
  return `transfer:${id}`;
}

/**
 * Of the stock service: a `StockEvent`. The owner is the key of a reservation or a transfer, so that a reservation and a
 * transfer of the same id do not share a log.
 */
export function eventKey(ownerKey: string, n: number): string {
  return `event:${ownerKey}:${n}`;
}

/** Of the reservation cancellation: a `DueBucket`. */
export function dueKey(epochSecond: number): string {
  return `due:${epochSecond}`;
}

/** Of the reservation cancellation: the `DueIndex`. */
export const DUE_INDEX_KEY = "due-index";
