import { ComponentError } from "../../components/spi/errors.ts";
import type { StateGetRequest, StateItem, StateOperation, StateStore } from "../../components/spi/state.ts";
import { stateErrors } from "../../errors/catalogue/state.ts";
import { ApiError, apiError } from "../../errors/error.ts";
import type { ComponentView, Loaded } from "../../inventory/types.ts";
import type { Clock } from "../../kit/clock.ts";
import type { Logger } from "../../kit/logger.ts";
import type { Random } from "../../kit/random.ts";
import { readAll, writeAll } from "./bulk.ts";
import { failureOf, missingStore, queryNotSupported, tooManyOperations, transactionsNotSupported } from "./errors.ts";
import { storedKey } from "./key-prefix.ts";
import {
  checkOptions,
  compileTarget,
  deleteRequestOf,
  saveRequestOf,
  setRequestOf,
  type StoreTarget,
} from "./store-target.ts";
import type {
  BulkDeleteState,
  BulkGetResult,
  BulkGetState,
  DeleteState,
  GetState,
  SaveState,
  StateObserver,
  StateOperationName,
  StateTransaction,
  TransactionOperation,
} from "./types.ts";

export interface StateBlockOptions {
  readonly stores: ComponentView<StateStore>;
  readonly appId: string;
  readonly namespace: string;
  readonly logger: Logger;
  readonly clock: Clock;
  /** Gives the nonces of encrypted values. */
  readonly random: Random;
  readonly observer?: StateObserver | undefined;
}

/** Key/value state: every door and every in-process caller comes here. All methods throw ApiError of `stateErrors`. */
export interface StateBlock {
  readonly appId: string;
  /** Lets a door refuse before it reads a body. */
  requireStore(store: string): void;
  requireTransactional(store: string): void;
  /** Undefined: no such key. */
  get(request: GetState): Promise<StateItem | undefined>;
  /** One result per key, in the order asked. */
  bulkGet(request: BulkGetState): Promise<readonly BulkGetResult[]>;
  /** Several items are no transaction: each succeeds or fails alone, and one error tells of all that failed. */
  save(request: SaveState): Promise<void>;
  delete(request: DeleteState): Promise<void>;
  bulkDelete(request: BulkDeleteState): Promise<void>;
  transaction(request: StateTransaction): Promise<void>;
  /** No store can be queried: always throws, a missing store being told first. */
  query(store: string): never;
}

/** Follows `stores` from now on. */
export function createStateBlock(options: StateBlockOptions): StateBlock {
  return new Block(options);
}

class Block implements StateBlock {
  readonly appId: string;
  readonly #options: StateBlockOptions;
  readonly #targets = new Map<string, StoreTarget>();

  constructor(options: StateBlockOptions) {
    this.appId = options.appId;
    this.#options = options;
    options.stores.watch((name, loaded) => this.#update(name, loaded));
  }

  requireStore(store: string): void {
    this.#target(store);
  }

  requireTransactional(store: string): void {
    this.#transactor(this.#target(store));
  }

  async get(request: GetState): Promise<StateItem | undefined> {
    const target = this.#target(request.store);
    const stored = getRequestOf(target, request.key, request);
    const startedMs = this.#started();
    let item: StateItem | undefined;
    try {
      item = await target.component.get(stored);
    } catch (error) {
      this.#ended(target, "get", false, startedMs);
      throw getFailure(request, error);
    }
    this.#ended(target, "get", true, startedMs);
    if (item === undefined || target.cipher === undefined || item.data.length === 0) {
      return item;
    }
    try {
      return { ...item, data: target.cipher.decrypt(target.name, item.data) };
    } catch (error) {
      throw getFailure(request, error);
    }
  }

  async bulkGet(request: BulkGetState): Promise<readonly BulkGetResult[]> {
    const target = this.#target(request.store);
    const requests = request.keys.map((key) =>
      getRequestOf(target, key, { consistency: "", metadata: request.metadata }),
    );
    if (requests.length === 0) {
      return [];
    }
    const startedMs = this.#started();
    try {
      const results = await readAll(target, request, requests);
      this.#ended(target, "bulk_get", true, startedMs);
      return results;
    } catch (error) {
      this.#ended(target, "bulk_get", false, startedMs);
      const { reason, options } = failureOf(error);
      throw apiError(stateErrors.bulkGet, { reason }, { cause: options.cause });
    }
  }

  async save({ store, items }: SaveState): Promise<void> {
    const target = this.#target(store);
    const requests = items.map((item) => saveRequestOf(target, item));
    if (requests.length === 0) {
      return;
    }
    const startedMs = this.#started();
    try {
      await writeAll(requests, (request) => {
        checkOptions(request);
        return target.component.set(request);
      });
    } catch (error) {
      this.#ended(target, "set", false, startedMs);
      const { reason, options } = failureOf(error);
      throw apiError(stateErrors.save, { store, reason }, options);
    }
    this.#ended(target, "set", true, startedMs);
  }

  async delete(request: DeleteState): Promise<void> {
    const target = this.#target(request.store);
    const stored = deleteRequestOf(target, request);
    const startedMs = this.#started();
    try {
      checkOptions(stored);
      await target.component.delete(stored);
    } catch (error) {
      this.#ended(target, "delete", false, startedMs);
      const { reason, options } = failureOf(error);
      throw apiError(stateErrors.delete, { key: request.key, reason }, options);
    }
    this.#ended(target, "delete", true, startedMs);
  }

  async bulkDelete({ store, items }: BulkDeleteState): Promise<void> {
    const target = this.#target(store);
    const requests = items.map((item) => deleteRequestOf(target, item));
    const startedMs = this.#started();
    try {
      await writeAll(requests, (request) => {
        checkOptions(request);
        return target.component.delete(request);
      });
    } catch (error) {
      this.#ended(target, "bulk_delete", false, startedMs);
      const { reason, options } = failureOf(error);
      throw apiError(stateErrors.bulkDelete, { store, reason }, options);
    }
    this.#ended(target, "bulk_delete", true, startedMs);
  }

  async transaction({ store, operations, metadata }: StateTransaction): Promise<void> {
    const target = this.#target(store);
    const transact = this.#transactor(target);
    const stored = operations.map((operation) => operationOf(target, operation));
    const limit = target.component.transactionOperationsMax;
    if (limit !== undefined && limit > 0 && stored.length > limit) {
      throw tooManyOperations(store, stored.length, limit);
    }
    if (stored.length === 0) {
      return;
    }
    const startedMs = this.#started();
    try {
      for (const operation of stored) {
        checkOptions(operation.request);
      }
      await transact.call(target.component, stored, metadata);
    } catch (error) {
      this.#ended(target, "transaction", false, startedMs);
      const { reason, options } = failureOf(error);
      // An etag mismatch is no conflict here: Dapr answers every failed transaction as internal.
      throw apiError(stateErrors.transaction, { reason }, { cause: options.cause });
    }
    this.#ended(target, "transaction", true, startedMs);
  }

  query(store: string): never {
    this.#target(store);
    throw queryNotSupported(store);
  }

  #target(store: string): StoreTarget {
    const target = this.#targets.get(store);
    if (target === undefined) {
      throw missingStore(store, this.#options.stores.size > 0);
    }
    return target;
  }

  #transactor(target: StoreTarget): NonNullable<StateStore["transact"]> {
    if (target.transact === undefined) {
      throw transactionsNotSupported(target.name);
    }
    return target.transact;
  }

  /** A store whose metadata cannot be followed is not served: its rows would lie elsewhere, or in clear text. */
  #update(name: string, loaded: Loaded<StateStore> | undefined): void {
    this.#targets.delete(name);
    if (loaded === undefined) {
      return;
    }
    const { logger, random } = this.#options;
    try {
      const target = compileTarget(loaded, this.#options, random);
      this.#targets.set(name, target);
      if (target.cipher !== undefined) {
        logger.info(`Automatic encryption enabled for state store ${name}`);
        logger.info(ENCRYPTION_WARNING);
      } else if (PRIMARY_KEY in loaded.metadata) {
        logger.warn(
          `state store ${name} is NOT encrypted: ${PRIMARY_KEY} must come from a secretKeyRef, whose name is stored with every value`,
        );
      }
    } catch (error) {
      if (!(error instanceof ApiError || error instanceof ComponentError)) {
        throw error;
      }
      logger.error(`state store ${name} is not served: ${error.message}`);
    }
  }

  #started(): number {
    return this.#options.observer === undefined ? 0 : this.#options.clock.monotonicMs();
  }

  #ended(target: StoreTarget, operation: StateOperationName, succeeded: boolean, startedMs: number): void {
    const { observer, clock } = this.#options;
    observer?.stateInvoked(target.name, operation, succeeded, clock.monotonicMs() - startedMs);
  }
}

const PRIMARY_KEY = "primaryEncryptionKey";
const ENCRYPTION_WARNING =
  "WARNING: Automatic state store encryption should never be used to store more than 4 billion items in the state store (including updates). Storing more items than that can cause the private key to be exposed.";

function getRequestOf(
  target: StoreTarget,
  key: string,
  { consistency, metadata }: Pick<GetState, "consistency" | "metadata">,
): StateGetRequest {
  return {
    key: storedKey(target.name, target.prefix, key),
    metadata,
    consistency: consistency === "strong" || consistency === "eventual" ? consistency : "",
  };
}

function getFailure({ key, store }: GetState, error: unknown): ApiError {
  const { reason, options } = failureOf(error);
  return apiError(stateErrors.get, { key, store, reason }, { cause: options.cause });
}

function operationOf(target: StoreTarget, { kind, item }: TransactionOperation): StateOperation {
  switch (kind) {
    case "upsert":
      return { kind, request: setRequestOf(target, item) };
    case "delete":
      return { kind, request: deleteRequestOf(target, item) };
    default:
      throw apiError(stateErrors.operationNotSupported, { operation: kind });
  }
}
