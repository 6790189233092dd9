import type { GrpcError } from "../../net/grpc/status.ts";
import type { HostSink, Order } from "./types.ts";

const DONE = Object.freeze({ done: true as const, value: undefined });

/**
 * Orders on their way to one sidecar, pulled by its stream at the pace at which the sidecar reads. What has not left when a
 * new round begins has become void, so that one that reads slowly, or not at all, holds at most one round's three orders
 * and holds up nobody.
 */
export class OrderQueue implements HostSink, AsyncIterableIterator<Order> {
  #orders: Order[] = [];
  #waiter: PromiseWithResolvers<IteratorResult<Order>> | undefined;
  #over = false;
  #error: GrpcError | undefined;

  /** Orders that wait to be sent. */
  get length(): number {
    return this.#orders.length;
  }

  send(order: Order): void {
    if (this.#over) {
      return;
    }
    const waiter = this.#waiter;
    if (waiter !== undefined) {
      this.#waiter = undefined;
      waiter.resolve({ done: false, value: order });
      return;
    }
    if (order.operation === "lock") {
      this.#orders = [];
    }
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

  next(): Promise<IteratorResult<Order>> {
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

  return(): Promise<IteratorResult<Order>> {
    this.end();
    return Promise.resolve(DONE);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
