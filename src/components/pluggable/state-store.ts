import { create } from "@bufbuild/protobuf";
import type { GrpcMethod } from "../../net/grpc/types.ts";
import { methodsOf } from "../../net/grpc/protobuf.ts";
import { errorMessage } from "../../kit/error-message.ts";
import { FeaturesRequestSchema } from "../../wire/gen/dapr/proto/components/v1/common_pb.js";
import {
  BulkDeleteRequestSchema,
  BulkGetRequestSchema,
  BulkSetRequestSchema,
  InitRequestSchema,
  MultiMaxSizeRequestSchema,
  QueriableStateStore,
  StateStore as StateStoreService,
  TransactionalStateRequestSchema,
  TransactionalStateStore,
  TransactionalStoreMultiMaxSize,
} from "../../wire/gen/dapr/proto/components/v1/state_pb.js";
import type { ComponentDeps, ComponentMetadata } from "../spi/component.ts";
import type { StateQueryRequest, StateQueryResult } from "../spi/state-query.ts";
import type {
  BulkStateItem,
  StateDeleteRequest,
  StateGetRequest,
  StateItem,
  StateOperation,
  StateSetRequest,
  StateStore,
} from "../spi/state.ts";
import type { RequestMetadata } from "../spi/request-metadata.ts";
import { ComponentConnection, type ComponentSocket } from "./connection.ts";
import { LIMIT_MS_MAX } from "./limits.ts";
import {
  bulkItemsOf,
  deleteRequestOf,
  getRequestOf,
  itemOf,
  operationOf,
  queryRequestOf,
  queryResultOf,
  setRequestOf,
} from "./state-messages.ts";
import { bulkDeleteError, readError, statusError, transactionError, writeError } from "./status-error.ts";

const METHODS = methodsOf(StateStoreService);
const { transact: TRANSACT } = methodsOf(TransactionalStateStore);
const { query: QUERY } = methodsOf(QueriableStateStore);
const { multiMaxSize: MULTI_MAX_SIZE } = methodsOf(TransactionalStoreMultiMaxSize);

/** A factory of stores behind one socket. */
export function pluggableStateStore(socket: ComponentSocket): (deps: ComponentDeps) => StateStore {
  return (deps) => new PluggableStateStore(socket, deps);
}

/** `state.<socket name>`: what it can do is what it says after its Init. */
class PluggableStateStore implements StateStore {
  capabilities: readonly string[] = [];
  transactionOperationsMax?: number;
  transact?: NonNullable<StateStore["transact"]>;
  query?: NonNullable<StateStore["query"]>;
  learnTransactionLimit?: NonNullable<StateStore["learnTransactionLimit"]>;
  #learning: Promise<void> | undefined;
  readonly #connection: ComponentConnection;
  readonly #socket: ComponentSocket;
  readonly #deps: ComponentDeps;

  constructor(socket: ComponentSocket, deps: ComponentDeps) {
    this.#socket = socket;
    this.#deps = deps;
    this.#connection = new ComponentConnection(socket, deps, METHODS.ping);
  }

  async init(metadata: ComponentMetadata, signal: AbortSignal): Promise<void> {
    const request = create(InitRequestSchema, { metadata: { properties: metadata } });
    await this.#connection.open(async (call) => {
      await call(METHODS.init, request);
      this.capabilities = (await call(METHODS.features, create(FeaturesRequestSchema))).features;
    }, signal);
    if (this.#socket.services.has(QueriableStateStore.typeName)) {
      this.query = (asked) => this.#query(asked);
    }
    if (this.capabilities.includes("TRANSACTIONAL")) {
      this.transact = (operations, requestMetadata) => this.#transact(operations, requestMetadata);
      if (this.#socket.services.has(TransactionalStoreMultiMaxSize.typeName)) {
        this.learnTransactionLimit = () => (this.#learning ??= this.#learnLimit());
      }
    }
  }

  async get(request: StateGetRequest): Promise<StateItem | undefined> {
    return itemOf(await this.#call(METHODS.get, getRequestOf(request), readError));
  }

  async set(request: StateSetRequest): Promise<void> {
    await this.#call(METHODS.set, setRequestOf(request), writeError);
  }

  async delete(request: StateDeleteRequest): Promise<void> {
    await this.#call(METHODS.delete, deleteRequestOf(request), writeError);
  }

  async bulkGet(requests: readonly StateGetRequest[]): Promise<readonly BulkStateItem[]> {
    const request = create(BulkGetRequestSchema, { items: requests.map(getRequestOf), options: {} });
    const { items } = await this.#call(METHODS.bulkGet, request, readError);
    return bulkItemsOf(
      requests.map(({ key }) => key),
      items,
    );
  }

  async bulkSet(requests: readonly StateSetRequest[]): Promise<void> {
    const request = create(BulkSetRequestSchema, { items: requests.map(setRequestOf), options: {} });
    await this.#call(METHODS.bulkSet, request, writeError);
  }

  async bulkDelete(requests: readonly StateDeleteRequest[]): Promise<void> {
    const request = create(BulkDeleteRequestSchema, { items: requests.map(deleteRequestOf), options: {} });
    await this.#call(METHODS.bulkDelete, request, bulkDeleteError);
  }

  close(): Promise<void> {
    return this.#connection.close();
  }

  async #query(request: StateQueryRequest): Promise<StateQueryResult> {
    return queryResultOf(await this.#call(QUERY, queryRequestOf(request), readError));
  }

  async #transact(operations: readonly StateOperation[], metadata: RequestMetadata): Promise<void> {
    const request = create(TransactionalStateRequestSchema, { operations: operations.map(operationOf), metadata });
    await this.#call(TRANSACT, request, transactionError);
  }

  /** Not before it matters: there are stores that offer the service and fail in it. */
  async #learnLimit(): Promise<void> {
    try {
      const { maxSize } = await this.#connection.unary(MULTI_MAX_SIZE, create(MultiMaxSizeRequestSchema), {
        timeoutMs: LIMIT_MS_MAX,
      });
      if (maxSize > 0n) {
        this.transactionOperationsMax = Number(maxSize);
      }
    } catch (error) {
      this.#deps.logger.error(`failed to get multi max size from state store ${errorMessage(statusError(error))}`);
    }
  }

  async #call<I, O>(method: GrpcMethod<I, O>, request: I, errorOf: (error: unknown) => unknown): Promise<O> {
    try {
      return await this.#connection.unary(method, request);
    } catch (error) {
      throw errorOf(error);
    }
  }
}
