import type { ComponentManifest, MetadataField } from "../spi/component.ts";
import type { PubSub } from "../spi/pubsub.ts";
import { DATABASE_FIELDS } from "./connection-string.ts";

/** The metadata of `pubsub.sqlite`. Publishing takes `ttlInSeconds`, `deliverAt` and `delayInSeconds` beside it. */
export const PUBSUB_FIELDS = [
  ...DATABASE_FIELDS,
  {
    name: "consumerID",
    kind: "string",
    description:
      "Sidecars with the same id share the messages of a topic, each id gets all of them; the default is the app id. A subscription outlives its sidecar: what is published meanwhile waits.",
  },
  {
    name: "concurrencyMode",
    kind: "string",
    default: "parallel",
    description:
      "single hands a subscriber one message at a time; parallel starts up to `concurrency` side by side, in the order of publishing.",
  },
  {
    name: "concurrency",
    kind: "integer",
    default: "64",
    description: "Messages of one subscription that one sidecar handles at once, from 1 to 1024.",
  },
  {
    name: "processingTimeout",
    kind: "duration",
    default: "5s",
    description:
      "How soon the messages that a sidecar held are handed out again after it died, stood still (laptop asleep, process stopped) or could not write. A living sidecar renews what it holds every third of this time, so a handler may take longer. 100ms at least.",
  },
  {
    name: "handlerTimeout",
    kind: "duration",
    default: "30m",
    description:
      "A handler that takes longer than this is taken for one that never ends: its message goes to another attempt, and what it comes to counts no more. 0: it keeps the message as long as its sidecar lives. Looked at every third of `processingTimeout`.",
  },
  {
    name: "maxDeliveries",
    kind: "integer",
    default: "100",
    description:
      "Attempts after which a message goes to `deadLetterTopic`, or to the table pubsub_dead_letters where there is no such topic or nobody subscribes to it; 0: no limit.",
  },
  {
    name: "deadLetterTopic",
    kind: "string",
    description: "Topic of this broker for messages that used up their deliveries.",
  },
  {
    name: "backOffInitialInterval",
    kind: "duration",
    default: "1s",
    description: "Wait before the second attempt; each further wait is twice as long.",
  },
  { name: "backOffMaxInterval", kind: "duration", default: "60s", description: "Longest wait between two attempts." },
  {
    name: "maxBacklog",
    kind: "integer",
    default: "1000000",
    description: "Messages that a topic stores for its subscriptions; publishing more fails.",
  },
  {
    name: "pollInterval",
    kind: "duration",
    default: "100ms",
    description: "How soon messages published by another process are noticed; this process's own are at once.",
  },
] as const satisfies readonly MetadataField[];

/**
 * `pubsub.sqlite`, ours: a durable broker in one SQLite file. A publish that resolved is on disk; delivery is at least
 * once. Metadata of a publish: `ttlInSeconds` drops the message unread after that time, `deliverAt` (RFC 3339) or
 * `delayInSeconds` holds it back until then. A message to a topic that has no subscription yet goes nowhere.
 */
export const sqlitePubSubManifest: ComponentManifest<PubSub> = {
  family: "pubsub",
  type: "pubsub.sqlite",
  versions: [{ version: "v1", stability: "beta" }],
  capabilities: ["MESSAGE_TTL"],
  metadata: PUBSUB_FIELDS,
  load: async () => (await import("./pubsub.ts")).createSqlitePubSub,
};
