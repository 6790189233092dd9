import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { Client, type ClientDuplexStream, credentials, type ServiceError } from "@grpc/grpc-js";
import type { TopicEventRequest } from "../../src/wire/gen/dapr/proto/runtime/v1/appcallback_pb.js";
import { TopicEventResponse_TopicEventResponseStatus as Status } from "../../src/wire/gen/dapr/proto/runtime/v1/appcallback_pb.js";
import {
  type SubscribeTopicEventsRequestAlpha1,
  SubscribeTopicEventsRequestAlpha1Schema,
} from "../../src/wire/gen/dapr/proto/runtime/v1/pubsub_pb.js";
import { daprMethods } from "./grpc-caller.ts";
import type { TestSidecar } from "./test-sidecar.ts";
import { until } from "./until.ts";

type Request = MessageInitShape<typeof SubscribeTopicEventsRequestAlpha1Schema>["subscribeTopicEventsRequestType"];

/** How a stream ended; code 0 is OK. */
export interface StreamEnd {
  readonly code: number;
  readonly message: string;
}

/** One call of SubscribeTopicEventsAlpha1 over grpc-js. */
export class TopicStream implements AsyncDisposable {
  /** Events in the order in which they came, answered or not. */
  readonly events: TopicEventRequest[] = [];
  initialResponses = 0;
  end: StreamEnd | undefined;
  /** Set: every event is answered so at once. */
  answerAll: keyof typeof Status | undefined;
  readonly #client: Client;
  readonly #call: ClientDuplexStream<Buffer, Buffer>;

  constructor(one: TestSidecar) {
    const method = daprMethods.subscribeTopicEventsAlpha1;
    this.#client = new Client(`127.0.0.1:${one.sidecar.ports.grpc ?? 0}`, credentials.createInsecure());
    this.#call = this.#client.makeBidiStreamRequest(
      method.path,
      (bytes: Buffer) => bytes,
      (bytes) => bytes,
    );
    this.#call.on("data", (bytes: Buffer) => {
      const { subscribeTopicEventsResponseType: response } = method.decodeResponse(bytes);
      if (response.case === "eventMessage") {
        this.events.push(response.value);
        if (this.answerAll !== undefined) {
          this.answer(response.value.id, this.answerAll);
        }
      } else {
        this.initialResponses += 1;
      }
    });
    this.#call.on("status", ({ code, details }) => (this.end = { code, message: details }));
    this.#call.on("error", (_: ServiceError) => undefined);
  }

  /** A stream whose subscription is live. */
  static async to(
    one: TestSidecar,
    topic: string,
    deadLetterTopic?: string,
    pubsubName = "broker",
  ): Promise<TopicStream> {
    const stream = new TopicStream(one);
    stream.send({
      case: "initialRequest",
      value: { pubsubName, topic, ...(deadLetterTopic === undefined ? {} : { deadLetterTopic }) },
    });
    await until("the stream has its initial response", () => stream.initialResponses === 1);
    return stream;
  }

  send(subscribeTopicEventsRequestType: NonNullable<Request>): void {
    const message: SubscribeTopicEventsRequestAlpha1 = create(SubscribeTopicEventsRequestAlpha1Schema, {
      subscribeTopicEventsRequestType,
    });
    this.#call.write(Buffer.from(daprMethods.subscribeTopicEventsAlpha1.encodeRequest(message)));
  }

  answer(id: string, status: keyof typeof Status): void {
    this.send({ case: "eventProcessed", value: { id, status: { status: Status[status] } } });
  }

  closeSend(): void {
    this.#call.end();
  }

  cancel(): void {
    this.#call.cancel();
  }

  async ended(): Promise<StreamEnd> {
    return await until("the stream has ended", () => this.end);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#call.cancel();
    this.#client.close();
  }
}

/** The data of events as text. */
export function dataOf(events: readonly TopicEventRequest[]): string[] {
  return events.map(({ data }) => Buffer.from(data).toString());
}
