import { topicEventRequest } from "../../app/topic-event-request.ts";
import { TOPIC_EVENT_SUCCESS } from "../../app/topic-response.ts";
import { streamNeedsInitialRequest, streamRepeatsInitialRequest, streamsClosed } from "../../blocks/pubsub/errors.ts";
import type { OpenStream, StreamSubscriptions } from "../../blocks/pubsub/stream-subscriptions.ts";
import type { CancelSignal } from "../../kit/cancel-signal.ts";
import type { TopicEventRequest } from "../../wire/gen/dapr/proto/runtime/v1/appcallback_pb.js";
import type { Dapr } from "../../wire/gen/dapr/proto/runtime/v1/dapr_pb.js";
import type {
  SubscribeTopicEventsRequestAlpha1,
  SubscribeTopicEventsResponseAlpha1,
} from "../../wire/gen/dapr/proto/runtime/v1/pubsub_pb.js";
import { EventQueue } from "./event-queue.ts";
import type { ServiceHandlers } from "./service.ts";

type Requests = AsyncIterator<SubscribeTopicEventsRequestAlpha1>;

/** SubscribeTopicEventsAlpha1 of `dapr.proto.runtime.v1.Dapr`: the app opens the stream, and its events come along it. */
export function subscribeHandlers(
  streams: StreamSubscriptions,
): Pick<ServiceHandlers<typeof Dapr>, "subscribeTopicEventsAlpha1"> {
  return { subscribeTopicEventsAlpha1: (requests) => serveStream(requests[Symbol.asyncIterator](), streams) };
}

/** Ends when the app closes its side or cancels the call; with `stream closed` when the sidecar ends it. */
async function* serveStream(
  requests: Requests,
  streams: StreamSubscriptions,
): AsyncGenerator<SubscribeTopicEventsResponseAlpha1> {
  const first = await firstRequest(requests, streams.closing);
  if (first.done === true) {
    return;
  }
  const initial = first.value.subscribeTopicEventsRequestType;
  if (initial.case !== "initialRequest") {
    throw streamNeedsInitialRequest();
  }
  const { pubsubName, topic, metadata, deadLetterTopic = "" } = initial.value;
  const queue = new EventQueue<TopicEventRequest>();
  const stream = await streams.open(
    { pubsubName, topic, metadata, deadLetterTopic },
    { send: (event) => queue.push(topicEventRequest(event)), end: (error) => queue.end(error) },
  );
  try {
    void readAnswers(requests, stream, queue);
    yield response({
      case: "initialResponse",
      value: { $typeName: "dapr.proto.runtime.v1.SubscribeTopicEventsResponseInitialAlpha1" },
    });
    for await (const event of queue) {
      yield response({ case: "eventMessage", value: event });
    }
  } finally {
    await stream.close();
  }
}

/** A stream that has not said what it is for must not hold up the sidecar's end. */
async function firstRequest(
  requests: Requests,
  closing: CancelSignal,
): Promise<IteratorResult<SubscribeTopicEventsRequestAlpha1>> {
  const closed = Promise.withResolvers<never>();
  const giveUp = (): void => closed.reject(streamsClosed());
  if (closing.aborted) {
    giveUp();
  }
  closing.addEventListener("abort", giveUp, { once: true });
  try {
    return await Promise.race([closed.promise, requests.next()]);
  } finally {
    closing.removeEventListener("abort", giveUp);
  }
}

/** Its end, whatever the reason, is the end of the queue. */
async function readAnswers(requests: Requests, stream: OpenStream, queue: EventQueue<unknown>): Promise<void> {
  try {
    for (let next = await requests.next(); next.done !== true; next = await requests.next()) {
      const request = next.value.subscribeTopicEventsRequestType;
      if (request.case !== "eventProcessed") {
        throw streamRepeatsInitialRequest();
      }
      const { id, status } = request.value;
      stream.answer(id, status?.status ?? TOPIC_EVENT_SUCCESS);
    }
    queue.end();
  } catch (error) {
    queue.end(error instanceof Error ? error : new Error(String(error)));
  }
}

function response(
  subscribeTopicEventsResponseType: SubscribeTopicEventsResponseAlpha1["subscribeTopicEventsResponseType"],
): SubscribeTopicEventsResponseAlpha1 {
  return { $typeName: "dapr.proto.runtime.v1.SubscribeTopicEventsResponseAlpha1", subscribeTopicEventsResponseType };
}
