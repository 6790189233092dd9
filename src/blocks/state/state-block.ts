import { ComponentError } from "../../components/spi/errors.ts";
import { RichComponentError } from "../../components/spi/rich-error.ts";
import type { StateItem, StateStore } from "../../components/spi/state.ts";
import type { StateQueryResult } from "../../components/spi/state-query.ts";
import { stateErrors } from "../../errors/catalogue/state.ts";
import { ApiError, apiError } from "../../errors/error.ts";
import type { ComponentView, Loaded } from "../../inventory/types.ts";
import type { Clock } from "../../kit/clock.ts";
import type { Logger } from "../../kit/logger.ts";
import type { Random } from "../../kit/random.ts";
import { type ComponentCallsSource, NO_CALLS } from "../../telemetry/metrics/component-calls.ts";
import { type ComponentPolicies, guarded, NO_POLICIES } from "../component-policy.ts";
import { readAll, writeAll } from "./bulk.ts";
import { failureOf, missingStore, ownWords, queryFailed, readFailureOf, transactionsNotSupported } from "./errors.ts";
import { listingOf, listPage } from "./list.ts";
import type { AnnouncedTransaction, OutboxPort } from "./outbox-port.ts";
import { queryFor, resultsOf } from "./query-call.ts";
import {
  checkOptions,
  compileTarget,
  deleteRequestOf,
  getRequestOf,
  saveRequestOf,
  type StoreTarget,
} from "./store-target.ts";
import { announce, operationsOf, outcomeOf } from "./transaction.ts";
import type {
  BulkDeleteState,
  BulkGetResult,
  BulkGetState,
  DeleteState,
  GetState,
  ListedState,
  ListState,
  QueryState,
  SaveState,
  StateOperationName,
  StateTransaction,
} from "./types.ts";

export interface StateBlockOptions {
  readonly stores: ComponentView<StateStore>;
  readonly appId: string;
  readonly namespace: string;
  readonly logger: Logger;
  readonly clock: Clock;
  /** Gives the nonces of encrypted values. */
  readonly random: Random;
  readonly calls?: ComponentCallsSource | undefined;
  readonly policies?: ComponentPolicies | undefined;
  /** Absent: `outbox*` metadata of stores do nothing. */
  readonly outbox?: OutboxPort | undefined;
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
  /** Keys in the results are the callers'. Undefined: nothing was found. */
  query(request: QueryState): Promise<StateQueryResult | undefined>;
  /** One page of the app's keys in the order of their UTF-8 bytes: an addition to Dapr's API. */
  list(request: ListState): Promise<ListedState>;
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
    options.policies?.onChange?.(() => {
      for (const loaded of options.stores.values()) {
        this.#update(loaded.name, loaded);
      }
    });
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
      const { component, policy } = target;
      item = await (policy === undefined ? component.get(stored) : guarded(policy, () => component.get(stored)));
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
      const results = await guarded(target.policy, () => readAll(target, request, requests));
      this.#ended(target, "bulk_get", true, startedMs);
      return results;
    } catch (error) {
      this.#ended(target, "bulk_get", false, startedMs);
      const { reason, options } = readFailureOf(error);
      throw apiError(stateErrors.bulkGet, { reason }, options);
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
      await writeAll(target.policy, requests, checkOptions, target.writes);
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
      await guarded(target.policy, () => target.component.delete(stored));
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
      await writeAll(target.policy, requests, checkOptions, target.deletes);
    } catch (error) {
      this.#ended(target, "bulk_delete", false, startedMs);
      const { reason, options } = failureOf(error);
      throw apiError(stateErrors.bulkDelete, { store, reason }, options);
    }
    this.#ended(target, "bulk_delete", true, startedMs);
  }

  async transaction(request: StateTransaction): Promise<void> {
    const target = this.#target(request.store);
    const transact = this.#transactor(target);
    if (target.component.learnTransactionLimit !== undefined) {
      await target.component.learnTransactionLimit();
    }
    const stored = operationsOf(target, request.operations);
    if (stored.length === 0) {
      return;
    }
    const startedMs = this.#started();
    let announced: AnnouncedTransaction | undefined;
    try {
      for (const operation of stored) {
        checkOptions(operation.request);
      }
      announced = target.outbox && (await announce(target, this.#options.outbox, request, stored));
      await transact.call(target.component, announced?.operations ?? stored, request.metadata);
    } catch (error) {
      announced?.settle(outcomeOf(error));
      this.#ended(target, "transaction", false, startedMs);
      const { reason, options } = failureOf(error);
      // An etag mismatch is no conflict here: Dapr answers every failed transaction as internal.
      throw apiError(stateErrors.transaction, { reason }, { cause: options.cause });
    }
    announced?.settle("committed");
    this.#ended(target, "transaction", true, startedMs);
  }

  async query(request: QueryState): Promise<StateQueryResult | undefined> {
    const target = this.#target(request.store);
    const query = queryFor(target, request);
    const startedMs = this.#started();
    try {
      const result = resultsOf(await guarded(target.policy, query));
      this.#ended(target, "query", true, startedMs);
      return result;
    } catch (error) {
      this.#ended(target, "query", false, startedMs);
      throw error instanceof RichComponentError
        ? ownWords(error)
        : queryFailed(target.name, failureOf(error).reason, error);
    }
  }

  async list(request: ListState): Promise<ListedState> {
    const target = this.#target(request.store);
    const listing = listingOf(target, request);
    try {
      return await guarded(target.policy, () => listPage(target, listing, request));
    } catch (error) {
      const { reason, options } = failureOf(error);
      throw apiError(stateErrors.list, { store: target.name, reason }, { cause: options.cause });
    }
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
    const { logger, random, calls = NO_CALLS, policies = NO_POLICIES } = this.#options;
    const policy = policies.component(name, "Statestore", "outbound");
    try {
      const target = compileTarget(loaded, this.#options, random, calls.of(name), policy);
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
    return this.#options.clock.monotonicMs();
  }

  #ended(target: StoreTarget, operation: StateOperationName, succeeded: boolean, startedMs: number): void {
    target.calls.record(operation, succeeded, this.#options.clock.monotonicMs() - startedMs);
  }
}

const PRIMARY_KEY = "primaryEncryptionKey";
const ENCRYPTION_WARNING =
  "WARNING: Automatic state store encryption should never be used to store more than 4 billion items in the state store (including updates). Storing more items than that can cause the private key to be exposed.";

function getFailure({ key, store }: GetState, error: unknown): ApiError {
  const { reason, options } = readFailureOf(error);
  return apiError(stateErrors.get, { key, store, reason }, options);
}
