import { errorMessage } from "../../kit/error-message.ts";
import type { ComponentDeps, ComponentMetadata } from "../spi/component.ts";
import { ComponentError } from "../spi/errors.ts";
import { etagMismatch } from "../spi/etag-errors.ts";
import { KeyPage } from "../spi/key-page.ts";
import { fenceMismatch } from "../spi/state-fence.ts";
import type {
  BulkStateItem,
  KeysLikeRequest,
  KeysPage,
  ListedKeys,
  ListKeysRequest,
  StateDeleteRequest,
  StateFence,
  StateGetRequest,
  StateItem,
  StateOperation,
  StateSetRequest,
  StateStore,
} from "../spi/state.ts";
import type { RequestMetadata } from "../spi/request-metadata.ts";
import type { RedisArgument, RedisReply } from "./client.ts";
import { REPEATABLE, RedisConnection } from "./connection.ts";
import { componentClosed } from "./errors.ts";
import { STATE_FIELDS } from "./fields.ts";
import { parseGoInteger } from "./integers.ts";
import { literalGlob, likeToGlob } from "./like-glob.ts";
import { KEYS_PER_PAGE } from "./limits.ts";
import { parseQueryIndexes } from "./query-index.ts";
import { replyList, replyNumber } from "./replies.ts";
import { scanEach, scanKeys } from "./scan.ts";
import { evaluate } from "./script.ts";
import { connectedReplicas, hasJsonModule } from "./server.ts";
import { decodeRedisMetadata, redisSettings } from "./settings.ts";
import { redisStateManifest } from "./state-manifest.ts";
import { WRITE_SCRIPT } from "./state-script.ts";
import { createIndexes, search } from "./state-search.ts";
import { deleteArguments, fenceArguments, NO_TTL, setArguments, type StateFormat, ttlArgument } from "./state-write.ts";

/** PTTL's answer for a key that does not exist. */
const NO_KEY = -2;

/** How long a strongly consistent write waits for all replicas, in milliseconds. */
const REPLICAS_WAIT_MS = 1_000;

const JSON_CONTENT_TYPE = "application/json";

/**
 * Dapr's `state.redis` on a single server. Unlike Dapr's, a write is one script: time to live, etag and first-write hold
 * inside transactions too, a first write without an etag needs the key to be absent, an etag of an absent key does not
 * match, and a write without a time to live makes the item stay. Requests whose metadata says that the content type is
 * JSON concern JSON documents where the server has RedisJSON, hashes where it has not.
 */
export class RedisStateStore implements StateStore {
  readonly #deps: ComponentDeps;
  /** There on servers with RedisJSON. */
  query?: NonNullable<StateStore["query"]>;
  capabilities: readonly string[] = redisStateManifest.capabilities;
  #connection: RedisConnection | undefined;
  #ttlDefault = NO_TTL;
  #replicas = 0;
  #hasJson = false;

  constructor(deps: ComponentDeps) {
    this.#deps = deps;
  }

  async init(metadata: ComponentMetadata, signal: AbortSignal): Promise<void> {
    const decoded = decodeRedisMetadata(STATE_FIELDS, metadata, this.#deps);
    const settings = redisSettings(decoded);
    const indexes = parseQueryIndexes(decoded.queryIndexes ?? "");
    this.#ttlDefault = ttlArgument(BigInt(decoded.ttlInSeconds ?? 0));
    const connection = new RedisConnection(settings, this.#deps);
    this.#connection = connection;
    try {
      await connection.open(signal);
    } catch (error) {
      throw new ComponentError(
        "unavailable",
        `redis store: error connecting to redis at ${settings.address}: ${errorMessage(error)}`,
        { cause: error },
      );
    }
    this.#replicas = await connectedReplicas(connection);
    await createIndexes(connection, indexes);
    this.#hasJson = await hasJsonModule(connection);
    if (this.#hasJson) {
      this.query = (request) => search(connection, indexes, request);
      this.capabilities = [...redisStateManifest.capabilities, "QUERY_API"];
    }
  }

  async close(): Promise<void> {
    await this.#connection?.close();
  }

  async get(request: StateGetRequest): Promise<StateItem | undefined> {
    const connection = this.#open();
    if (this.#formatOf(request.metadata) === "json") {
      return await this.#getDocument(request.key);
    }
    const [remaining, fields] = await Promise.all([
      connection.send(["PTTL", request.key], REPEATABLE),
      connection.send(["HMGET", request.key, "data", "version"], REPEATABLE).catch(wrongType),
    ]);
    if (fields === undefined) {
      return await this.#getPlain(request.key);
    }
    const [data, version] = replyList(fields);
    if (!Buffer.isBuffer(data) || !Buffer.isBuffer(version)) {
      return await this.#absent(request.key, replyNumber(remaining));
    }
    return { data, etag: version.toString(), metadata: this.#ttlMetadata(replyNumber(remaining)) };
  }

  async bulkGet(requests: readonly StateGetRequest[]): Promise<readonly BulkStateItem[]> {
    const items: BulkStateItem[] = [];
    for (let from = 0; from < requests.length; from += KEYS_PER_PAGE) {
      const page = requests.slice(from, from + KEYS_PER_PAGE);
      items.push(...(await Promise.all(page.map((request) => this.#bulkItem(request)))));
    }
    return items;
  }

  async set(request: StateSetRequest): Promise<void> {
    const failed = await this.#write(
      [request.key],
      setArguments(request, this.#formatOf(request.metadata), this.#ttlDefault),
    );
    if (failed !== 0) {
      throw etagMismatch(`failed to set key ${request.key}`);
    }
    await this.#awaitReplicas(request);
  }

  async delete(request: StateDeleteRequest): Promise<void> {
    const failed = await this.#write([request.key], deleteArguments(request, this.#formatOf(request.metadata)));
    if (failed !== 0) {
      throw etagMismatch(`failed to delete ${request.key}`);
    }
  }

  async transact(operations: readonly StateOperation[], metadata: RequestMetadata): Promise<void> {
    if (operations.length > 0) {
      await this.#transact([], [], operations, metadata);
    }
  }

  async transactFenced(
    operations: readonly StateOperation[],
    fence: StateFence,
    metadata: RequestMetadata,
  ): Promise<void> {
    await this.#transact([fence], fenceArguments(fence, this.#formatOf(metadata)), operations, metadata);
  }

  async keysLike({ pattern, continuationToken, pageSize }: KeysLikeRequest): Promise<KeysPage> {
    if (pattern === "") {
      throw new ComponentError("invalidRequest", "keys like pattern cannot be empty");
    }
    const start = continuationToken === undefined ? 0 : offsetOf(continuationToken);
    const keys = await scanKeys(this.#open(), likeToGlob(pattern));
    const end = pageSize === undefined || pageSize === 0 ? keys.length : start + pageSize;
    return { keys: keys.slice(start, end), continuationToken: end < keys.length ? String(end) : undefined };
  }

  /** Redis has no order of keys: each page looks at all keys of the database, and holds no more than about two pages. */
  async listKeys(request: ListKeysRequest): Promise<ListedKeys> {
    const page = new KeyPage(request);
    await scanEach(this.#open(), `${literalGlob(request.scope + request.prefix)}*`, (key) => page.offer(key));
    return page.result();
  }

  #open(): RedisConnection {
    if (this.#connection === undefined) {
      throw componentClosed();
    }
    return this.#connection;
  }

  /** The fence, if there is one, comes first: of several reasons to refuse it is the one that is told. */
  async #transact(
    fences: readonly StateFence[],
    fenceArgs: readonly RedisArgument[],
    operations: readonly StateOperation[],
    metadata: RequestMetadata,
  ): Promise<void> {
    const all = this.#formatOf(metadata);
    const keys = fences.map(({ key }) => key);
    const args = [...fenceArgs];
    for (const { kind, request } of operations) {
      const format = all === "json" ? all : this.#formatOf(request.metadata);
      keys.push(request.key);
      args.push(
        ...(kind === "upsert" ? setArguments(request, format, this.#ttlDefault) : deleteArguments(request, format)),
      );
    }
    const number = await this.#write(keys, args);
    const fence = fences[number - 1];
    if (fence !== undefined) {
      throw fenceMismatch(fence);
    }
    const failed = operations[number - 1 - fences.length];
    if (failed !== undefined) {
      const { kind, request } = failed;
      throw etagMismatch(kind === "upsert" ? `failed to set key ${request.key}` : `failed to delete ${request.key}`);
    }
  }

  async #write(keys: readonly string[], args: readonly RedisArgument[]): Promise<number> {
    return replyNumber(await evaluate(this.#open(), WRITE_SCRIPT, keys, args));
  }

  async #bulkItem(request: StateGetRequest): Promise<BulkStateItem> {
    try {
      return { key: request.key, item: await this.get(request) };
    } catch (error) {
      return { key: request.key, item: undefined, error: errorMessage(error) };
    }
  }

  /** Dapr's first stores kept values as plain strings; they have no etag. */
  async #getPlain(key: string): Promise<StateItem | undefined> {
    const data = await this.#open().send(["GET", key], REPEATABLE);
    return Buffer.isBuffer(data) ? { data, etag: undefined, metadata: undefined } : undefined;
  }

  /** Without the fields of an item: nothing there, or somebody else's hash. Between two reads a key may come and go. */
  async #absent(key: string, remainingMs: number): Promise<undefined> {
    if (remainingMs !== NO_KEY && replyNumber(await this.#open().send(["EXISTS", key], REPEATABLE)) > 0) {
      throw new ComponentError("invalidRequest", "required hash field 'data' or 'version' was not found");
    }
    return undefined;
  }

  #ttlMetadata(remainingMs: number): RequestMetadata | undefined {
    if (remainingMs < 0) {
      return undefined;
    }
    const expires = new Date(this.#deps.clock.now() + remainingMs);
    return { ttlExpireTime: `${expires.toISOString().slice(0, 19)}Z` };
  }

  async #awaitReplicas({ consistency }: StateSetRequest): Promise<void> {
    if (consistency === "strong" && this.#replicas > 0) {
      await this.#open().send(["WAIT", String(this.#replicas), String(REPLICAS_WAIT_MS)], {
        blockMs: REPLICAS_WAIT_MS,
      });
    }
  }

  #formatOf(metadata: RequestMetadata): StateFormat {
    return this.#hasJson && metadata["contentType"] === JSON_CONTENT_TYPE ? "json" : "hash";
  }

  async #getDocument(key: string): Promise<StateItem | undefined> {
    const connection = this.#open();
    const [remaining, data, version] = await Promise.all([
      connection.send(["PTTL", key], REPEATABLE),
      connection.send(["JSON.GET", key, ".data"], REPEATABLE),
      connection.send(["JSON.GET", key, ".version"], REPEATABLE),
    ]);
    if (!Buffer.isBuffer(data)) {
      return undefined;
    }
    const etag = Buffer.isBuffer(version) ? version.toString() : undefined;
    return { data, etag, metadata: this.#ttlMetadata(replyNumber(remaining)) };
  }
}

/** Deleted and foreign keys have no fields to read; undefined: the key holds something other than a hash. */
function wrongType(error: unknown): RedisReply | undefined {
  if (error instanceof ComponentError && error.message.startsWith("WRONGTYPE")) {
    return undefined;
  }
  throw error;
}

function offsetOf(token: string): number {
  try {
    const offset = Number(parseGoInteger(token, "Atoi"));
    if (offset >= 0) {
      return offset;
    }
  } catch {
    // Falls through: it is none of ours.
  }
  throw new ComponentError("invalidRequest", `invalid continuation token: ${token}`);
}
