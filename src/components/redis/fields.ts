import type { MetadataField } from "../spi/component.ts";

/** Metadata that every component on Redis reads. Whole numbers of durations are milliseconds, -1 means none. */
export const CONNECTION_FIELDS = [
  {
    name: "redisHost",
    kind: "string",
    default: "localhost:6379",
    description: "Address of the server as host:port; without a port redisPort counts, then 6379.",
  },
  { name: "redisPort", kind: "integer", description: "Port of the server where redisHost has none." },
  {
    name: "redisPassword",
    kind: "string",
    sensitive: true,
    description: "Password of the server or of redisUsername.",
  },
  { name: "redisUsername", kind: "string", description: "User of the server's access control list." },
  { name: "redisDB", kind: "integer", default: "0", description: "Number of the database." },
  {
    name: "redisType",
    kind: "string",
    default: "node",
    description: "node, a single server. cluster is refused: this release does not speak to Redis Cluster.",
  },
  { name: "failover", kind: "boolean", default: "false", description: "Redis Sentinel; refused by this release." },
  { name: "sentinelMasterName", kind: "string", description: "Only with failover." },
  { name: "sentinelUsername", kind: "string", description: "Only with failover." },
  { name: "sentinelPassword", kind: "string", sensitive: true, description: "Only with failover." },
  {
    name: "useEntraID",
    kind: "boolean",
    default: "false",
    aliases: ["useAzureAD"],
    description: "Refused by this release.",
  },
  { name: "enableTLS", kind: "boolean", default: "false", description: "Connect over TLS." },
  {
    name: "insecureSkipTLSVerify",
    kind: "boolean",
    default: "false",
    description: "Take any certificate of the server.",
  },
  { name: "clientCert", kind: "string", description: "PEM of the client's certificate, with clientKey." },
  { name: "clientKey", kind: "string", sensitive: true, description: "PEM of the client's key." },
  {
    name: "redisMaxRetries",
    kind: "integer",
    default: "3",
    aliases: ["maxRetries"],
    description: "How often a command that may safely run twice is sent again after a lost connection; -1: never.",
  },
  {
    name: "redisMinRetryInterval",
    kind: "duration",
    default: "8ms",
    description: "Shortest pause between two attempts.",
  },
  {
    name: "redisMaxRetryInterval",
    kind: "duration",
    default: "512ms",
    description: "Longest pause between two attempts.",
  },
  { name: "maxRetryBackoff", kind: "integer", description: "Old name of the pause, in nanoseconds; without effect." },
  { name: "dialTimeout", kind: "duration", default: "5s", description: "Longest time for one attempt to connect." },
  { name: "readTimeout", kind: "duration", default: "3s", description: "Longest wait for a reply; -1: for ever." },
  {
    name: "writeTimeout",
    kind: "duration",
    default: "3s",
    description: "Where it is longer than readTimeout it counts.",
  },
  { name: "poolSize", kind: "integer", description: "Without effect: commands share one pipelined connection." },
  { name: "minIdleConns", kind: "integer", description: "Without effect: commands share one pipelined connection." },
  { name: "maxConnAge", kind: "duration", description: "Without effect: commands share one pipelined connection." },
  { name: "poolTimeout", kind: "duration", description: "Without effect: commands share one pipelined connection." },
  { name: "idleTimeout", kind: "duration", description: "Without effect: commands share one pipelined connection." },
  {
    name: "idleCheckFrequency",
    kind: "duration",
    description: "Without effect: commands share one pipelined connection.",
  },
] as const satisfies readonly MetadataField[];

/** What `state.redis` reads besides. */
export const STATE_FIELDS = [
  ...CONNECTION_FIELDS,
  {
    name: "ttlInSeconds",
    kind: "integer",
    description: "Time to live of items whose request names none; zero and less: for ever.",
  },
  {
    name: "queryIndexes",
    kind: "string",
    description: "Indexes of the query API, as JSON; the server needs RedisJSON and RediSearch.",
  },
] as const satisfies readonly MetadataField[];

/** What `configuration.redis` reads, with a longer pause between attempts. */
export const CONFIGURATION_FIELDS = CONNECTION_FIELDS.map((field) =>
  field.name === "redisMaxRetryInterval" ? { ...field, default: "2s" } : field,
) as unknown as typeof CONNECTION_FIELDS;

/** What `pubsub.redis` reads besides. */
export const PUBSUB_FIELDS = [
  ...CONNECTION_FIELDS,
  {
    name: "consumerID",
    kind: "string",
    description: "Consumer group and consumer; sidecars with one id share the messages. The default is the app id.",
  },
  {
    name: "processingTimeout",
    kind: "duration",
    default: "60s",
    description: "How long a message may go unacknowledged before it is delivered again; 0: no redelivery.",
  },
  {
    name: "redeliverInterval",
    kind: "duration",
    default: "15s",
    description: "How often messages to deliver again are looked for; 0: no redelivery.",
  },
  { name: "queueDepth", kind: "integer", default: "100", description: "Messages read ahead per subscription." },
  { name: "concurrency", kind: "integer", default: "10", description: "Messages in the hands of the app at a time." },
  {
    name: "maxLenApprox",
    kind: "integer",
    default: "0",
    description: "Trim streams to about so many messages; 0: never.",
  },
  { name: "streamTTL", kind: "duration", description: "Trim messages older than this; needs Redis 6.2." },
] as const satisfies readonly MetadataField[];
