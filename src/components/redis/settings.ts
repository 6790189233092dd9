import { errorMessage } from "../../kit/error-message.ts";
import { goQuote } from "../../kit/go-quote.ts";
import type { ComponentDeps, ComponentMetadata, MetadataField } from "../spi/component.ts";
import { ComponentError } from "../spi/errors.ts";
import { decodeMetadata, type DecodedMetadata } from "../spi/metadata.ts";
import type { CONNECTION_FIELDS } from "./fields.ts";

/** How to reach one Redis server and how long to wait for it. Times are milliseconds, Infinity: without end. */
export interface RedisSettings {
  readonly host: string;
  readonly port: number;
  /** `host:port`, as messages name the server. */
  readonly address: string;
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly database: number;
  readonly tls: RedisTls | undefined;
  readonly retriesMax: number;
  readonly retryPauseMsMin: number;
  readonly retryPauseMsMax: number;
  readonly dialTimeoutMs: number;
  readonly replyTimeoutMs: number;
}

export interface RedisTls {
  readonly rejectUnauthorized: boolean;
  readonly cert: string | undefined;
  readonly key: string | undefined;
}

type ConnectionMetadata = DecodedMetadata<typeof CONNECTION_FIELDS>;

const PORT_DEFAULT = 6379;
const DIAL_TIMEOUT_MS_DEFAULT = 5_000;
const REPLY_TIMEOUT_MS_DEFAULT = 3_000;
const WHOLE_NUMBER = /^-?[0-9]+$/;

/** The one duration of Redis components whose whole numbers are seconds. */
const IN_SECONDS = "streamTTL";

/**
 * Decodes a component's metadata by `fields`, which hold those of every connection.
 * @throws ComponentError `invalidMetadata`
 */
export function decodeRedisMetadata<const F extends readonly MetadataField[]>(
  fields: F,
  metadata: ComponentMetadata,
  deps: Pick<ComponentDeps, "name" | "logger">,
): DecodedMetadata<F> {
  try {
    return decodeMetadata(fields, inMilliseconds(fields, metadata), { component: deps.name, logger: deps.logger });
  } catch (error) {
    throw new ComponentError("invalidMetadata", `redis client configuration error: ${errorMessage(error)}`, {
      cause: error,
    });
  }
}

/** @throws ComponentError `invalidMetadata` for an address that contradicts itself, `unsupported` for other kinds of servers */
export function redisSettings(metadata: ConnectionMetadata): RedisSettings {
  refuseOtherServers(metadata);
  const { host, port } = resolveAddress(metadata.redisHost, metadata.redisPort ?? 0);
  const bare = host.includes(":") ? `[${host}]` : host;
  return {
    host,
    port,
    address: `${bare}:${port}`,
    username: metadata.redisUsername,
    password: metadata.redisPassword,
    database: metadata.redisDB,
    tls: metadata.enableTLS
      ? {
          rejectUnauthorized: !metadata.insecureSkipTLSVerify,
          // A certificate without its key, or the reverse, is as good as none.
          cert: metadata.clientKey === undefined ? undefined : metadata.clientCert,
          key: metadata.clientCert === undefined ? undefined : metadata.clientKey,
        }
      : undefined,
    retriesMax: Math.max(0, metadata.redisMaxRetries),
    retryPauseMsMin: Math.max(0, metadata.redisMinRetryInterval),
    retryPauseMsMax: Math.max(0, metadata.redisMaxRetryInterval),
    dialTimeoutMs: metadata.dialTimeout > 0 ? metadata.dialTimeout : DIAL_TIMEOUT_MS_DEFAULT,
    replyTimeoutMs: Math.max(replyTimeoutMs(metadata.readTimeout), replyTimeoutMs(metadata.writeTimeout)),
  };
}

function replyTimeoutMs(given: number): number {
  if (given < 0) {
    return Infinity;
  }
  return given === 0 ? REPLY_TIMEOUT_MS_DEFAULT : given;
}

function refuseOtherServers(metadata: ConnectionMetadata): void {
  if (metadata.redisType === "cluster") {
    throw new ComponentError("unsupported", "redisType cluster is not supported yet: only single servers are");
  }
  if (metadata.redisType !== "node") {
    throw new ComponentError(
      "invalidMetadata",
      `redisType must be node or cluster, not ${goQuote(metadata.redisType)}`,
    );
  }
  if (metadata.failover) {
    throw new ComponentError("unsupported", "failover (Redis Sentinel) is not supported yet: only single servers are");
  }
  if (metadata.useEntraID) {
    throw new ComponentError("unsupported", "useEntraID is not supported yet: use redisUsername and redisPassword");
  }
  if (metadata.redisHost.includes(",")) {
    throw new ComponentError(
      "unsupported",
      "several addresses in redisHost are not supported yet: only single servers are",
    );
  }
}

/** Whole numbers get their unit; the shared decoder would take them for seconds. */
function inMilliseconds(fields: readonly MetadataField[], metadata: ComponentMetadata): ComponentMetadata {
  const durations = new Set(
    fields.filter(({ kind, name }) => kind === "duration" && name !== IN_SECONDS).map(({ name }) => name.toLowerCase()),
  );
  return Object.fromEntries(
    Object.entries(metadata).map(([name, value]) =>
      durations.has(name.toLowerCase()) && WHOLE_NUMBER.test(value) ? [name, `${value}ms`] : [name, value],
    ),
  );
}

const BRACKETED = /^\[([^\]]*)\](?::([0-9]+))?$/;
const HOST_AND_PORT = /^([^:]*):([0-9]+)$/;

function resolveAddress(address: string, port: number): { host: string; port: number } {
  const trimmed = address.trim();
  const parts = BRACKETED.exec(trimmed) ?? HOST_AND_PORT.exec(trimmed);
  const host = parts?.[1] ?? trimmed;
  const ownPort = parts?.[2];
  if (ownPort === undefined) {
    return { host, port: port === 0 ? PORT_DEFAULT : port };
  }
  if (port !== 0 && Number(ownPort) !== port) {
    throw new ComponentError(
      "invalidMetadata",
      `redis client configuration error: redis host ${goQuote(trimmed)} already contains port ${ownPort}, but redisPort is set to ${port}; either remove the port from redisHost or remove the redisPort setting`,
    );
  }
  return { host: host === "" ? "localhost" : host, port: Number(ownPort) };
}
