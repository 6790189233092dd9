import { type TtlLimit, ttlSeconds } from "../spi/ttl-seconds.ts";
import type { Timer } from "../../kit/clock.ts";
import { formatGoDuration } from "../../kit/duration.ts";
import { errorMessage } from "../../kit/error-message.ts";
import type { Engine, Step } from "../../storage/engine.ts";
import { StepRefusedError } from "../../storage/errors.ts";
import { openEngine } from "../../storage/open-engine.ts";
import type { ComponentDeps, ComponentMetadata } from "../spi/component.ts";
import { ComponentError } from "../spi/errors.ts";
import { decodeMetadata } from "../spi/metadata.ts";
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
import { fenceMismatch, fenceWrite } from "../spi/state-fence.ts";
import { databaseOf, isIdentifier } from "./connection-string.ts";
import { rfc3339Of, SqlClock, sqlTime } from "./sql-time.ts";
import { listStateKeys, SLICE_ROWS, turn } from "./state-list.ts";
import { STATE_FIELDS } from "./state-manifest.ts";
import { type StateStatement, stateSchema, stateStatements } from "./state-schema.ts";

import { componentErrorOf } from "./storage-errors.ts";

/** Of Dapr's SQLite store, which says of more what it says of less. */
const TTL_LIMIT: TtlLimit = { secondsMax: 2n ** 31n - 1n, refusal: "must be -1 or greater" };

/** Keys of a bulk read between two turns of the event loop. */
const BULK_KEYS_PER_TURN = 64;

/** How much earlier than its period a clean-up may come, in milliseconds. */
const CLEANUP_SLACK_MS = 100;

const MISMATCH = "possible etag mismatch. error from state store";

/** Dapr's `state.sqlite` on the embedded engine. */
export class SqliteStateStore implements StateStore {
  readonly #deps: ComponentDeps;
  readonly #time: SqlClock;
  #engine: Engine<StateStatement> | undefined;
  #cleaner: Timer | undefined;
  #cleaning: Promise<void> | undefined;
  #closed = false;

  constructor(deps: ComponentDeps) {
    this.#deps = deps;
    this.#time = new SqlClock(() => deps.clock.now());
  }

  async init(metadata: ComponentMetadata): Promise<void> {
    const { name, logger, clock } = this.#deps;
    const options = decodeMetadata(STATE_FIELDS, metadata, { component: name, logger });
    const database = databaseOf(options, logger, this.#deps.directory);
    const tables = { state: options.tableName, metadata: options.metadataTableName };
    for (const table of Object.values(tables)) {
      if (!isIdentifier(table)) {
        throw new ComponentError("invalidMetadata", `invalid identifier: ${table}`);
      }
    }
    try {
      this.#engine = await openEngine({
        ...database,
        schema: stateSchema(tables),
        statements: stateStatements(tables),
        deadline: { clock, ms: options.timeout },
      });
    } catch (error) {
      throw componentErrorOf(error);
    }
    if (this.#closed) {
      await this.#engine.close();
    } else if (options.cleanupInterval > 0) {
      logger.info(`Schedule expired data clean up every ${formatGoDuration(options.cleanupInterval)}`);
      this.#cleaner = clock.every(options.cleanupInterval, () => this.#clean(options.cleanupInterval));
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#cleaner?.cancel();
    this.#cleaner = undefined;
    await this.#cleaning;
    await this.#engine?.close();
  }

  async get({ key }: StateGetRequest): Promise<StateItem | undefined> {
    if (key === "") {
      throw missingKey("get operation");
    }
    return this.#find(this.#open(), key);
  }

  async bulkGet(requests: readonly StateGetRequest[]): Promise<readonly BulkStateItem[]> {
    const engine = this.#open();
    const items: BulkStateItem[] = [];
    for (const { key } of requests) {
      if (items.length > 0 && items.length % BULK_KEYS_PER_TURN === 0) {
        await turn();
      }
      items.push({ key, item: this.#find(engine, key) });
    }
    return items;
  }

  async set(request: StateSetRequest): Promise<void> {
    await this.#write([this.#setStep(request)]);
  }

  async delete(request: StateDeleteRequest): Promise<void> {
    await this.#write([deleteStep(request)]);
  }

  async transact(operations: readonly StateOperation[]): Promise<void> {
    if (operations.length > 0) {
      await this.#write(operations.map((operation) => this.#step(operation)));
    }
  }

  /** The fence is the first step, which tells its refusal from one of an etag. */
  async transactFenced(operations: readonly StateOperation[], fence: StateFence): Promise<void> {
    const steps = [this.#fenceStep(fence)];
    for (const operation of operations) {
      steps.push(this.#step(operation));
    }
    await this.#write(steps, fence);
  }

  async keysLike({ pattern, continuationToken, pageSize }: KeysLikeRequest): Promise<KeysPage> {
    if (pattern === "") {
      throw new ComponentError("invalidRequest", "keys like pattern cannot be empty");
    }
    const engine = this.#open();
    const wanted = pageSize === undefined ? Infinity : pageSize + 1;
    const found: [key: string, row: number][] = [];
    await this.#slices(engine, rowOf(continuationToken), async (from, to) => {
      const limit = Math.min(wanted - found.length, SLICE_ROWS);
      const rows = engine.readAll("keysLike", [from, to, pattern, this.#time.text(), limit]);
      found.push(...(rows as unknown as [string, number][]));
      return found.length < wanted;
    });
    const page = pageSize === undefined ? found : found.slice(0, pageSize);
    return {
      keys: page.map(([key]) => key),
      continuationToken: page.length < found.length ? String(page.at(-1)?.[1] ?? 0) : undefined,
    };
  }

  listKeys(request: ListKeysRequest): Promise<ListedKeys> {
    return listStateKeys(this.#open(), request, () => this.#time.text());
  }

  #open(): Engine<StateStatement> {
    if (this.#engine === undefined) {
      throw new ComponentError("unavailable", `the state store ${this.#deps.name} is not open`);
    }
    return this.#engine;
  }

  #find(engine: Engine<StateStatement>, key: string): StateItem | undefined {
    let row: readonly unknown[] | undefined;
    try {
      row = engine.read("get", [key]);
    } catch (error) {
      throw componentErrorOf(error);
    }
    if (row === undefined) {
      return undefined;
    }
    const [value, isBinary, etag, expires] = row as [Uint8Array, number, string, string | null];
    if (expires !== null && expires <= this.#time.text()) {
      return undefined;
    }
    return {
      data: isBinary === 0 ? value : decodeBase64(value),
      etag,
      metadata: expires === null ? undefined : { ttlExpireTime: rfc3339Of(expires) },
    };
  }

  #step({ kind, request }: StateOperation): Step<StateStatement> {
    return kind === "upsert" ? this.#setStep(request) : deleteStep(request);
  }

  #fenceStep(fence: StateFence): Step<StateStatement> {
    const { key, expected, next } = fence;
    return expected === undefined
      ? this.#setStep({ ...fenceWrite(fence), concurrency: "first-write" })
      : {
          statement: "putFenced",
          params: [next, this.#deps.random.uuid(), this.#time.text(), key, expected],
          mustChange: true,
        };
  }

  #setStep(request: StateSetRequest): Step<StateStatement> {
    const { key, etag, concurrency } = request;
    if (key === "") {
      throw missingKey("set option");
    }
    const ttl = ttlSeconds(request.metadata, TTL_LIMIT);
    const value = request.valueIsJson ? request.value : encodeBase64(request.value);
    const isBinary = request.valueIsJson ? 0 : 1;
    const newEtag = this.#deps.random.uuid();
    const now = this.#time.text();
    const expires = ttl === undefined ? null : sqlTime(this.#time.seconds() + ttl);
    if (etag !== undefined && etag !== "") {
      const params = [value, isBinary, newEtag, now, expires, key, etag, now];
      return { statement: "putMatching", params, mustChange: true };
    }
    const first = concurrency === "first-write";
    return {
      statement: first ? "putFirst" : "put",
      params: [key, value, isBinary, newEtag, now, expires],
      mustChange: first,
    };
  }

  async #write(steps: readonly Step<StateStatement>[], fence?: StateFence): Promise<void> {
    try {
      await this.#open().write(steps);
    } catch (error) {
      if (error instanceof StepRefusedError) {
        if (fence !== undefined && error.step === 0) {
          throw fenceMismatch(fence);
        }
        throw new ComponentError("etagMismatch", MISMATCH, { cause: error });
      }
      throw error instanceof ComponentError ? error : componentErrorOf(error);
    }
  }

  /** Calls `visit` with bounds of rows (exclusive, inclusive) until it gives false or the table ends. */
  async #slices(
    engine: Engine<StateStatement>,
    start: number,
    visit: (from: number, to: number) => Promise<boolean>,
  ): Promise<void> {
    try {
      for (let from = start; ;) {
        const to = engine.read("sliceEnd", [from, SLICE_ROWS])?.[0];
        if (typeof to !== "number" || !(await visit(from, to))) {
          return;
        }
        from = to;
        await turn();
      }
    } catch (error) {
      throw componentErrorOf(error);
    }
  }

  #clean(periodMs: number): void {
    const { logger } = this.#deps;
    this.#cleaning ??= this.#deleteExpired(this.#open(), periodMs)
      .catch((error: unknown) => logger.error(`Error removing expired data: ${errorMessage(error)}`))
      .finally(() => {
        this.#cleaning = undefined;
      });
  }

  async #deleteExpired(engine: Engine<StateStatement>, periodMs: number): Promise<void> {
    const { logger } = this.#deps;
    const claim = { statement: "claimCleanup", params: [this.#time.text(), periodMs - CLEANUP_SLACK_MS] } as const;
    if ((await engine.write([claim])).changes[0] === 0) {
      logger.debug("Last cleanup was performed too recently");
      return;
    }
    let removed = 0;
    await this.#slices(engine, 0, async (from, to) => {
      const expire = { statement: "expire", params: [from, to, this.#time.text()] } as const;
      removed += (await engine.write([expire])).changes[0] ?? 0;
      return !this.#closed;
    });
    logger.info(`Removed ${removed} expired rows`);
  }
}

function deleteStep({ key, etag }: StateDeleteRequest): Step<StateStatement> {
  if (key === "") {
    throw missingKey("delete operation");
  }
  return etag === undefined || etag === ""
    ? { statement: "delete", params: [key] }
    : { statement: "deleteMatching", params: [key, etag], mustChange: true };
}

function missingKey(where: string): ComponentError {
  return new ComponentError("invalidRequest", `missing key in ${where}`);
}

function encodeBase64({ buffer, byteOffset, byteLength }: Uint8Array): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString("base64");
}

function decodeBase64({ buffer, byteOffset, byteLength }: Uint8Array): Uint8Array {
  return Buffer.from(Buffer.from(buffer, byteOffset, byteLength).toString("latin1"), "base64");
}

function rowOf(token: string | undefined): number {
  if (token === undefined) {
    return 0;
  }
  if (!/^[0-9]{1,15}$/.test(token)) {
    throw new ComponentError("invalidRequest", `invalid continuation token: ${JSON.stringify(token)}`);
  }
  return Number(token);
}
