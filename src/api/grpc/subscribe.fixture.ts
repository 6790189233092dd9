import { create, type MessageInitShape } from "@bufbuild/protobuf";
import {
  type SubscribeTopicEventsRequestAlpha1,
  SubscribeTopicEventsRequestAlpha1Schema,
} from "../../wire/gen/dapr/proto/runtime/v1/pubsub_pb.js";

/** What one message of a caller is about. */
export type Request = NonNullable<
  MessageInitShape<typeof SubscribeTopicEventsRequestAlpha1Schema>["subscribeTopicEventsRequestType"]
>;

/** What a caller sends, message by message. */
export class Requests implements AsyncIterable<SubscribeTopicEventsRequestAlpha1> {
  #waiting: PromiseWithResolvers<IteratorResult<SubscribeTopicEventsRequestAlpha1>> | undefined;
  #cancelled = false;
  readonly #sent: IteratorResult<SubscribeTopicEventsRequestAlpha1>[] = [];

  send(subscribeTopicEventsRequestType: Request): void {
    const value = create(SubscribeTopicEventsRequestAlpha1Schema, { subscribeTopicEventsRequestType });
    this.#push({ done: false, value });
  }

  close(): void {
    this.#push({ done: true, value: undefined });
  }

  cancel(): void {
    this.#cancelled = true;
    this.#waiting?.reject(new Error("the call was cancelled"));
  }

  [Symbol.asyncIterator](): AsyncIterator<SubscribeTopicEventsRequestAlpha1> {
    return {
      next: () => {
        if (this.#cancelled) {
          return Promise.reject(new Error("the call was cancelled"));
        }
        const sent = this.#sent.shift();
        if (sent !== undefined) {
          return Promise.resolve(sent);
        }
        this.#waiting = Promise.withResolvers();
        return this.#waiting.promise;
      },
    };
  }

  #push(result: IteratorResult<SubscribeTopicEventsRequestAlpha1>): void {
    if (this.#waiting === undefined) {
      this.#sent.push(result);
      return;
    }
    this.#waiting.resolve(result);
    this.#waiting = undefined;
  }
}
