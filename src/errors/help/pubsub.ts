import type { pubsubErrors } from "../catalogue/pubsub.ts";
import { help, type HelpOf } from "./error-help.ts";

export const pubsubHelp: HelpOf<typeof pubsubErrors> = {
  nameEmpty: help(
    "A message was published without the name of a broker.",
    "Use `/v1.0/publish/<pubsub>/<topic>`; a variable of the client that makes the path is empty, as a rule.",
  ),
  notFound: help(
    "No broker of that name is loaded in this sidecar.",
    "Compare the name with `metadata.name` of the component, and its `scopes` with this app's id.",
    "Look at `GET /outrigger/v1/components`: a broker that failed or waits is told there with its reason.",
  ),
  goneAtPublish: help(
    "The broker's component was removed between the check of the request and the publishing.",
    "Repeat it once the component is back. Look for a hot reload of its file at that time.",
  ),
  topicEmpty: help("A message was published without a topic.", "Use `/v1.0/publish/<pubsub>/<topic>`."),
  forbidden: help(
    "The component's `allowedTopics`, `publishingScopes`, `subscriptionScopes` or `protectedTopics` keep this app from the topic.",
    "Name the app and the topic there: `publishingScopes: app1=topic1,topic2;app2=`.",
  ),
  publishMessage: help(
    "The broker did not take the message. The reason is at the end of the text.",
    "Read the reason; look at the broker itself and at the component's condition.",
    "Give the component an outbound resiliency policy with retries. A repeat may be delivered twice: the event's id stays the same only if you set it.",
  ),
  publishOutbox: help(
    "The state was not saved, since the message of the outbox that belongs to it could not be published before.",
    "Check the broker of `outboxPublishPubsub` of the state store.",
    "Repeat the transaction: nothing of it was written.",
  ),
  requestMetadata: help(
    "The metadata of the request cannot be read.",
    "Send metadata as query parameters `metadata.<name>=<value>`, or in the message over gRPC.",
  ),
  cloudEventCreation: help(
    "What was published as a CloudEvent is none: the body must be a JSON object when the content type is `application/cloudevents+json`.",
    "Send the event with its required attributes, or send plain data with another content type and let the sidecar wrap it.",
  ),
  marshalEnvelope: help(
    "The CloudEvent around a message cannot be written as JSON.",
    "Check `datacontenttype` and the attributes that metadata set (`cloudevent.*`).",
  ),
  marshalEvents: help(
    "The events of a bulk cannot be written as JSON.",
    "Check that each `contentType` fits its `event`.",
  ),
  unmarshalEvents: help(
    "The body of a bulk publish is no list of entries.",
    "Send a JSON list; each entry has `entryId`, `event` and `contentType`, and all ids differ.",
  ),
  streamNeedsInitialRequest: help(
    "The first message of a subscription stream must say what it subscribes to.",
    "Send the initial request first, then answers to events.",
  ),
  streamRepeatsInitialRequest: help(
    "A subscription stream is for one topic: a second initial request is refused.",
    "Open another stream for another topic.",
  ),
  streamNamesNoPubsub: help("The initial request names no broker.", "Set `pubsub_name`."),
  streamNamesNoTopic: help("The initial request names no topic.", "Set `topic`."),
  streamRefused: help(
    "The broker, its scopes or a limit keep the stream from starting. The reason is at the end of the text.",
    "`is not found`: check the component's name and scopes. `not allowed`: check the topic scopes.",
    "Open the stream again later where the broker is away.",
  ),
  streamClosed: help(
    "The sidecar has ended the stream: its component was removed or replaced, or the sidecar stops.",
    "Open the stream again; SDKs do so by themselves.",
  ),
  streamsClosed: help(
    "The sidecar stops before the stream has said what it is for.",
    "Open the stream again once the sidecar is back.",
  ),
};
