import type { GrpcError } from "../../net/grpc/status.ts";
import type { Order, PeerOrder, Sink } from "./types.ts";

const DONE = Object.freeze({ done: true as const, value: undefined });

/** Orders on their way to one sidecar, pulled by its stream at the pace at which the sidecar reads. */
export class OutgoingQueue<T> implements Sink<T>, AsyncIterableIterator<T> {
  readonly #isVoid: (waiting: T, next: T) => boolean;
  #orders: T[] = [];
  #waiter: PromiseWithResolvers<IteratorResult<T>> | undefined;
  #over = false;
  #error: GrpcError | undefined;

  /** @param isVoid whether an order that has not left yet has no meaning any more when the next one comes */
  constructor(isVoid: (waiting: T, next: T) => boolean) {
    this.#isVoid = isVoid;
  }

  /** Orders that wait to be sent. */
  get length(): number {
    return this.#orders.length;
  }

  send(order: T): void {
    if (this.#over) {
      return;
    }
    const waiter = this.#waiter;
    if (waiter !== undefined) {
      this.#waiter = undefined;
      waiter.resolve({ done: false, value: order });
      return;
    }
    this.#orders = this.#orders.filter((waiting) => !this.#isVoid(waiting, order));
    this.#orders.push(order);
  }

  /** What waits is dropped; without an error the stream ends well. */
  end(error?: GrpcError): void {
    if (this.#over) {
      return;
    }
    this.#over = true;
    this.#error = error;
    this.#orders = [];
    const waiter = this.#waiter;
    this.#waiter = undefined;
    if (waiter !== undefined) {
      if (error === undefined) {
        waiter.resolve(DONE);
      } else {
        waiter.reject(error);
      }
    }
  }

  next(): Promise<IteratorResult<T>> {
    const order = this.#orders.shift();
    if (order !== undefined) {
      return Promise.resolve({ done: false, value: order });
    }
    if (this.#over) {
      return this.#error === undefined ? Promise.resolve(DONE) : Promise.reject(this.#error);
    }
    this.#waiter = Promise.withResolvers();
    return this.#waiter.promise;
  }

  return(): Promise<IteratorResult<T>> {
    this.end();
    return Promise.resolve(DONE);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}

/**
 * What has not left when a new round begins has become void, so that a sidecar that reads slowly, or not at all, holds at
 * most one round's three orders and holds up nobody.
 */
export class OrderQueue extends OutgoingQueue<Order> {
  constructor() {
    super((_, next) => next.operation === "lock");
  }
}

/** At most a welcome, a table, what was agreed on, and a lease: later ones take the place of those that have not left. */
export class PeerOrderQueue extends OutgoingQueue<PeerOrder> {
  constructor() {
    super(
      (waiting, next) =>
        (next.kind === "table" && (waiting.kind === "table" || waiting.kind === "agreed")) ||
        (next.kind === waiting.kind && (next.kind === "agreed" || next.kind === "lease")),
    );
  }
}
