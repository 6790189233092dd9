import { errorMessage } from "../../kit/error-message.ts";
import { parseGoDuration } from "../../kit/duration.ts";
import type { BindingRequest, BindingResponse, OutputBinding } from "../spi/bindings.ts";
import type { ComponentDeps, ComponentMetadata } from "../spi/component.ts";
import { ComponentError } from "../spi/errors.ts";
import type { RequestMetadata } from "../spi/request-metadata.ts";
import type { RedisReply } from "./client.ts";
import { RedisConnection, REPEATABLE } from "./connection.ts";
import { componentClosed } from "./errors.ts";
import { CONNECTION_FIELDS } from "./fields.ts";
import { parseGoInteger } from "./integers.ts";
import { asBuffer } from "./replies.ts";
import { decodeRedisMetadata, redisSettings } from "./settings.ts";

const NOTHING: BindingResponse = { data: undefined, metadata: {}, contentType: undefined };

/** Dapr's `bindings.redis`: one plain key per request, named by its metadata `key`. */
export class RedisBinding implements OutputBinding {
  readonly operations = ["create", "delete", "get", "increment"];
  readonly #deps: ComponentDeps;
  #connection: RedisConnection | undefined;

  constructor(deps: ComponentDeps) {
    this.#deps = deps;
  }

  async init(metadata: ComponentMetadata, signal: AbortSignal): Promise<void> {
    const settings = redisSettings(decodeRedisMetadata(CONNECTION_FIELDS, metadata, this.#deps));
    this.#connection = new RedisConnection(settings, this.#deps);
    try {
      await this.#connection.open(signal);
    } catch (error) {
      throw new ComponentError(
        "unavailable",
        `redis binding: error connecting to redis at ${settings.address}: ${errorMessage(error)}`,
        { cause: error },
      );
    }
  }

  async close(): Promise<void> {
    await this.#connection?.close();
  }

  async invoke({ operation, data, metadata }: BindingRequest): Promise<BindingResponse> {
    const connection = this.#connection;
    if (connection === undefined) {
      throw componentClosed();
    }
    const key = metadata["key"] ?? "";
    if (key === "") {
      throw new ComponentError("invalidRequest", "redis binding: missing key in request metadata");
    }
    switch (operation) {
      case "create":
        await this.#change(connection, ["SET", key, asBuffer(data)], key, metadata);
        return NOTHING;
      case "increment":
        await this.#change(connection, ["INCR", key], key, metadata);
        return NOTHING;
      case "delete":
        await connection.send(["DEL", key], REPEATABLE);
        return NOTHING;
      case "get":
        return found(
          metadata["delete"] === "true"
            ? await connection.send(["GETDEL", key])
            : await connection.send(["GET", key], REPEATABLE),
        );
      default:
        throw new ComponentError("invalidRequest", `invalid operation type: ${operation}`);
    }
  }

  /** The write and its expiry leave together, in this order. */
  async #change(
    connection: RedisConnection,
    write: readonly (string | Buffer)[],
    key: string,
    metadata: RequestMetadata,
  ): Promise<void> {
    const seconds = ttlSeconds(metadata);
    const expire = seconds === undefined ? [] : [["EXPIRE", key, String(seconds)]];
    await Promise.all([write, ...expire].map((command) => connection.send(command)));
  }
}

function found(value: RedisReply): BindingResponse {
  return Buffer.isBuffer(value) ? { data: value, metadata: {}, contentType: undefined } : NOTHING;
}

/** From metadata `ttl` or `ttlInSeconds`, without case: a Go duration or whole seconds. @throws ComponentError */
function ttlSeconds(metadata: RequestMetadata): number | undefined {
  const given = Object.entries(metadata);
  const text = ["ttl", "ttlinseconds"].flatMap((name) =>
    given.filter(([key, value]) => key.toLowerCase() === name && value !== "").map(([, value]) => value),
  )[0];
  if (text === undefined) {
    return undefined;
  }
  try {
    return Math.max(0, Math.trunc(parseGoDuration(text) / 1_000));
  } catch {
    // Not a duration: whole seconds.
  }
  let seconds: bigint;
  try {
    seconds = parseGoInteger(text, "ParseInt");
  } catch (error) {
    throw new ComponentError("invalidRequest", `ttl value must be a valid integer: actual is '${text}'`, {
      cause: error,
    });
  }
  if (seconds <= 0n) {
    throw new ComponentError("invalidRequest", `ttl value must be higher than zero: actual is '${seconds}'`);
  }
  return Number(seconds);
}
