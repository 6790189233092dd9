import type { Timer } from "../../kit/clock.ts";
import { goQuote } from "../../kit/go-quote.ts";
import { InvalidQuantityError, parseQuantity } from "../../kit/quantity.ts";
import type { ComponentDeps, ComponentMetadata } from "../spi/component.ts";
import { ComponentError } from "../spi/errors.ts";
import { etagMismatch } from "../spi/etag-errors.ts";
import { KeyPage } from "../spi/key-page.ts";
import { fenceMismatch, fenceWrite } from "../spi/state-fence.ts";
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
import { LikePattern } from "../spi/like-pattern.ts";
import { LIST_KEYS_PER_TURN, STORED_BYTES_MAX_DEFAULT, SWEEP_ITEMS_MAX, SWEEP_PERIOD_MS } from "./state-limits.ts";
import { expiryMs, ttlExpireTime } from "./ttl.ts";

/** An item as it is kept: `item` is what every read hands out, made once per write. */
interface Entry {
  readonly item: StateItem;
  /** Wall time in milliseconds after which the item is gone; Infinity: never. */
  readonly expiresAtMs: number;
  /** Position in the order of writes; keys are listed by it. */
  readonly order: number;
  readonly bytes: number;
}

/**
 * Dapr's `state.in-memory`: a map with etags, expiry, transactions and key listing. Every operation is done when its
 * promise is made, so that operations never interleave. Values are copied in: a value never pins the bigger buffer its
 * request came in. What a read hands out is the stored value itself and must not be changed.
 */
export class InMemoryStateStore implements StateStore {
  readonly #deps: ComponentDeps;
  readonly #entries = new Map<string, Entry>();
  /** The entries that expire, for the sweep. */
  readonly #expiring = new Map<string, Entry>();
  #sweeper: Timer | undefined;
  #sweepCursor: MapIterator<[string, Entry]> | undefined;
  #bytesMax = STORED_BYTES_MAX_DEFAULT;
  #bytes = 0;
  #writes = 0;

  constructor(deps: ComponentDeps) {
    this.#deps = deps;
  }

  async init(metadata: ComponentMetadata): Promise<void> {
    this.#bytesMax = bytesMaxOf(metadata);
    this.#sweeper = this.#deps.clock.every(SWEEP_PERIOD_MS, () => this.#sweep());
  }

  async close(): Promise<void> {
    this.#sweeper?.cancel();
    this.#sweeper = undefined;
    this.#sweepCursor = undefined;
    this.#entries.clear();
    this.#expiring.clear();
    this.#bytes = 0;
  }

  async get(request: StateGetRequest): Promise<StateItem | undefined> {
    return this.#find(request.key)?.item;
  }

  async bulkGet(requests: readonly StateGetRequest[]): Promise<readonly BulkStateItem[]> {
    return requests.map(({ key }) => ({ key, item: this.#find(key)?.item }));
  }

  async set(request: StateSetRequest): Promise<void> {
    const expiresAtMs = expiryMs(request.metadata, this.#deps.clock.now());
    this.#checkEtag(request);
    this.#checkRoom(this.#growth(request));
    this.#put(request, expiresAtMs);
  }

  async delete(request: StateDeleteRequest): Promise<void> {
    this.#checkEtag(request);
    this.#remove(request.key);
  }

  async transact(operations: readonly StateOperation[], _metadata: RequestMetadata): Promise<void> {
    this.#transact(operations);
  }

  async transactFenced(operations: readonly StateOperation[], fence: StateFence): Promise<void> {
    const { key, expected } = fence;
    const current = this.#find(key)?.item.data;
    if (current === undefined || expected === undefined ? current !== expected : !isSame(current, expected)) {
      throw fenceMismatch(fence);
    }
    this.#transact([...operations, { kind: "upsert", request: fenceWrite(fence) }]);
  }

  async deletePrefix(prefix: string): Promise<number> {
    if (prefix === "" || prefix === "||") {
      throw new ComponentError("invalidRequest", "a prefix is required for deleteWithPrefix request");
    }
    const whole = prefix.endsWith("||") ? prefix : `${prefix}||`;
    let count = 0;
    for (const key of this.#entries.keys()) {
      if (key.startsWith(whole) && !key.includes("||", whole.length)) {
        this.#remove(key);
        count += 1;
      }
    }
    return count;
  }

  async keysLike({ pattern, continuationToken, pageSize }: KeysLikeRequest): Promise<KeysPage> {
    if (pattern === "") {
      throw new ComponentError("invalidRequest", "keys like pattern cannot be empty");
    }
    const from = continuationToken === undefined ? 0 : orderOf(continuationToken);
    const like = new LikePattern(pattern);
    const nowMs = this.#deps.clock.now();
    const found = Array.from(this.#entries).filter(
      ([key, entry]) => entry.order >= from && entry.expiresAtMs >= nowMs && like.matches(key),
    );
    found.sort(([, a], [, b]) => a.order - b.order);
    const next = pageSize === undefined ? undefined : found[pageSize]?.[1];
    return {
      keys: found.slice(0, pageSize).map(([key]) => key),
      continuationToken: next === undefined ? undefined : String(next.order),
    };
  }

  /** Looks at all keys, in pieces between which others get their turn. */
  async listKeys(request: ListKeysRequest): Promise<ListedKeys> {
    const page = new KeyPage(request);
    const nowMs = this.#deps.clock.now();
    let examined = 0;
    for (const [key, { expiresAtMs }] of this.#entries) {
      if (expiresAtMs >= nowMs) {
        page.offer(key);
      }
      examined += 1;
      if (examined % LIST_KEYS_PER_TURN === 0) {
        await new Promise((resolve) => setImmediate(resolve));
      }
    }
    return page.result();
  }

  #transact(operations: readonly StateOperation[]): void {
    const nowMs = this.#deps.clock.now();
    const expiries = operations.map(({ kind, request }) => (kind === "upsert" ? expiryMs(request.metadata, nowMs) : 0));
    let growth = 0;
    for (const { kind, request } of operations) {
      this.#checkEtag(request);
      growth += kind === "upsert" ? this.#growth(request) : 0;
    }
    this.#checkRoom(growth);
    for (const [index, { kind, request }] of operations.entries()) {
      if (kind === "upsert") {
        this.#put(request, expiries[index] ?? Infinity);
      } else {
        this.#remove(request.key);
      }
    }
  }

  #find(key: string): Entry | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined || entry.expiresAtMs === Infinity || entry.expiresAtMs >= this.#deps.clock.now()) {
      return entry;
    }
    this.#remove(key);
    return undefined;
  }

  #put(request: StateSetRequest, expiresAtMs: number): void {
    const { key } = request;
    this.#remove(key);
    const expires = expiresAtMs !== Infinity;
    const entry: Entry = {
      item: {
        data: new Uint8Array(request.value),
        etag: this.#deps.random.uuid(),
        metadata: expires ? { ttlExpireTime: ttlExpireTime(expiresAtMs) } : undefined,
      },
      expiresAtMs,
      order: this.#writes,
      bytes: bytesOf(request),
    };
    this.#writes += 1;
    this.#bytes += entry.bytes;
    this.#entries.set(key, entry);
    if (expires) {
      this.#expiring.set(key, entry);
    }
  }

  #remove(key: string): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) {
      return;
    }
    this.#bytes -= entry.bytes;
    this.#entries.delete(key);
    if (entry.expiresAtMs !== Infinity) {
      this.#expiring.delete(key);
    }
  }

  #checkEtag({ key, etag, concurrency }: StateSetRequest | StateDeleteRequest): void {
    if (etag === undefined || etag === "") {
      if (concurrency === "first-write" && this.#find(key) !== undefined) {
        throw etagMismatch("item already exists and no etag was passed");
      }
      return;
    }
    const current = this.#find(key)?.item.etag;
    if (current === undefined) {
      throw etagMismatch(`state not exist or expired for key=${key}`);
    }
    if (current !== etag) {
      throw etagMismatch(`state etag not match for key=${key}: current=${current}, expect=${etag}`);
    }
  }

  #growth(request: StateSetRequest): number {
    return bytesOf(request) - (this.#entries.get(request.key)?.bytes ?? 0);
  }

  #checkRoom(growth: number): void {
    if (growth > 0 && this.#bytes + growth > this.#bytesMax) {
      throw new ComponentError(
        "unavailable",
        `the in-memory state store is full: its limit is ${this.#bytesMax} bytes (metadata maxBytes)`,
      );
    }
  }

  /** A map's iterator survives changes of the map: entries deleted are not visited, entries added are, at the end. */
  #sweep(): void {
    const nowMs = this.#deps.clock.now();
    for (let examined = 0; examined < SWEEP_ITEMS_MAX; examined += 1) {
      this.#sweepCursor ??= this.#expiring.entries();
      const next = this.#sweepCursor.next();
      if (next.done === true) {
        this.#sweepCursor = undefined;
        return;
      }
      const [key, entry] = next.value;
      if (entry.expiresAtMs < nowMs) {
        this.#remove(key);
      }
    }
  }
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

function bytesOf({ key, value }: StateSetRequest): number {
  return key.length + value.length;
}

function bytesMaxOf(metadata: ComponentMetadata): number {
  const name = Object.keys(metadata).find((key) => key.toLowerCase() === "maxbytes");
  if (name === undefined) {
    return STORED_BYTES_MAX_DEFAULT;
  }
  try {
    return parseQuantity(metadata[name] ?? "");
  } catch (error) {
    if (error instanceof InvalidQuantityError) {
      throw new ComponentError("invalidMetadata", `metadata maxBytes: ${error.message}`, { cause: error });
    }
    throw error;
  }
}

function orderOf(token: string): number {
  if (!/^[0-9]{1,15}$/.test(token)) {
    throw new ComponentError(
      "invalidRequest",
      `invalid continue token: strconv.ParseUint: parsing ${goQuote(token)}: invalid syntax`,
    );
  }
  return Number(token);
}
