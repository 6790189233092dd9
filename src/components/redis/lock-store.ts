import { errorMessage } from "../../kit/error-message.ts";
import type { ComponentDeps, ComponentMetadata } from "../spi/component.ts";
import { ComponentError } from "../spi/errors.ts";
import type { LockStore, TryLockRequest, UnlockRequest, UnlockStatus } from "../spi/lock.ts";
import { RedisConnection } from "./connection.ts";
import { componentClosed } from "./errors.ts";
import { CONNECTION_FIELDS } from "./fields.ts";
import { evaluate, type Script, script } from "./script.ts";
import { connectedReplicas } from "./server.ts";
import { decodeRedisMetadata, redisSettings } from "./settings.ts";

/** Deletes the key when its value is the owner's. Reply: how many were deleted, -1: no such key, -2: another owner. */
const UNLOCK_SCRIPT: Script = script(`
local owner = redis.call("GET", KEYS[1])
if not owner then return -1 end
if owner ~= ARGV[1] then return -2 end
return redis.call("DEL", KEYS[1])`);

/**
 * Dapr's `lock.redis`: a key per resource with the owner as its value. A lock on a server whose replicas may take over
 * would be lost with it, so servers with replicas are refused.
 */
export class RedisLockStore implements LockStore {
  readonly #deps: ComponentDeps;
  #connection: RedisConnection | undefined;

  constructor(deps: ComponentDeps) {
    this.#deps = deps;
  }

  async init(metadata: ComponentMetadata, signal: AbortSignal): Promise<void> {
    const decoded = decodeRedisMetadata(CONNECTION_FIELDS, metadata, this.#deps);
    if (!Object.entries(metadata).some(([name, value]) => name.toLowerCase() === "redishost" && value !== "")) {
      throw new ComponentError("invalidMetadata", "metadata property redisHost is empty");
    }
    if (decoded.redisType === "cluster") {
      throw new ComponentError("unsupported", "this component does not support connecting to Redis Cluster");
    }
    const connection = new RedisConnection(redisSettings(decoded), this.#deps);
    this.#connection = connection;
    try {
      await connection.open(signal);
    } catch (error) {
      throw new ComponentError("unavailable", `error connecting to Redis: ${errorMessage(error)}`, { cause: error });
    }
    if ((await connectedReplicas(connection)) > 0) {
      throw new ComponentError("unsupported", "replication is not supported");
    }
  }

  async close(): Promise<void> {
    await this.#connection?.close();
  }

  async tryLock({ resourceId, owner, expirySeconds }: TryLockRequest): Promise<boolean> {
    const expiry = expirySeconds > 0 ? ["PX", String(expirySeconds * 1_000)] : [];
    return (await this.#open().send(["SET", resourceId, owner, "NX", ...expiry])) !== null;
  }

  async unlock({ resourceId, owner }: UnlockRequest): Promise<UnlockStatus> {
    const outcome = await evaluate(this.#open(), UNLOCK_SCRIPT, [resourceId], [owner]);
    if (typeof outcome === "number" && outcome >= 0) {
      return "success";
    }
    if (outcome === -1) {
      return "lockDoesNotExist";
    }
    return outcome === -2 ? "lockBelongsToOthers" : "internalError";
  }

  #open(): RedisConnection {
    if (this.#connection === undefined) {
      throw componentClosed();
    }
    return this.#connection;
  }
}
