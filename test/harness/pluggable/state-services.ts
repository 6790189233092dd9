import { create } from "@bufbuild/protobuf";
import { ComponentError } from "../../../src/components/spi/errors.ts";
import type { StateDeleteRequest, StateItem, StateSetRequest, StateStore } from "../../../src/components/spi/state.ts";
import { GRPC_STATUS } from "../../../src/errors/grpc-status.ts";
import { methodsOf } from "../../../src/net/grpc/protobuf.ts";
import { GrpcError } from "../../../src/net/grpc/status.ts";
import {
  FeaturesResponseSchema,
  PingResponseSchema,
} from "../../../src/wire/gen/dapr/proto/components/v1/common_pb.js";
import {
  BulkDeleteResponseSchema,
  BulkGetResponseSchema,
  BulkSetResponseSchema,
  type DeleteRequest,
  DeleteResponseSchema,
  GetResponseSchema,
  InitResponseSchema,
  MultiMaxSizeResponseSchema,
  QueriableStateStore,
  type QueryRequest,
  QueryResponseSchema,
  type SetRequest,
  SetResponseSchema,
  StateOptions_StateConcurrency,
  StateStore as StateStoreService,
  TransactionalStateResponseSchema,
  TransactionalStateStore,
  TransactionalStoreMultiMaxSize,
} from "../../../src/wire/gen/dapr/proto/components/v1/state_pb.js";
import { BadRequestSchema } from "../../../src/wire/gen/google/rpc/error_details_pb.js";
import type { OfferedService } from "./component-server.ts";
import { statusWith } from "./rich-status.ts";

export interface StateServiceOptions {
  readonly features: readonly string[];
  /** Most operations of a transaction, asked for by the sidecar. */
  readonly operationsMax?: number;
  /** Called with the metadata of every Init. */
  readonly onInit?: (properties: Readonly<Record<string, string>>) => void;
  /** Errors of single methods; while one is there the method throws it. */
  readonly failures?: Partial<Record<"get" | "set" | "delete" | "bulkGet" | "bulkSet" | "bulkDelete" | "query", Error>>;
  /** Queries that came. */
  readonly queries?: QueryRequest[];
}

/** Everything that a state store behind a socket can offer, over one of ours. */
export function stateServices(store: StateStore, options: StateServiceOptions): readonly OfferedService[] {
  return [
    offer(StateStoreService, (server) => server.addService(methodsOf(StateStoreService), basics(store, options))),
    offer(TransactionalStateStore, (server) =>
      server.addService(methodsOf(TransactionalStateStore), {
        transact: async ({ operations, metadata }) => {
          await etagged(
            store.transact?.(
              operations.map(({ request }) =>
                request.case === "delete"
                  ? { kind: "delete", request: deleteOf(request.value) }
                  : { kind: "upsert", request: setOf(request.value as SetRequest) },
              ),
              metadata,
            ),
          );
          return create(TransactionalStateResponseSchema);
        },
      }),
    ),
    offer(TransactionalStoreMultiMaxSize, (server) =>
      server.addService(methodsOf(TransactionalStoreMultiMaxSize), {
        multiMaxSize: () => create(MultiMaxSizeResponseSchema, { maxSize: BigInt(options.operationsMax ?? 0) }),
      }),
    ),
    offer(QueriableStateStore, (server) =>
      server.addService(methodsOf(QueriableStateStore), {
        query: (request) => {
          failIf(options.failures?.query);
          options.queries?.push(request);
          const items = [{ key: "found", data: Buffer.from('"it"'), etag: { value: "7" } }];
          return create(QueryResponseSchema, { items, token: "next" });
        },
      }),
    ),
  ];
}

function basics(store: StateStore, { features, onInit, failures = {} }: StateServiceOptions) {
  const get = async (key: string) => {
    const item = await store.get({ key, metadata: {}, consistency: "" });
    return item === undefined ? {} : wireItem(item);
  };
  return {
    init: ({ metadata }: { metadata?: { properties: Record<string, string> } | undefined }) => {
      onInit?.(metadata?.properties ?? {});
      return create(InitResponseSchema);
    },
    features: () => create(FeaturesResponseSchema, { features: [...features] }),
    ping: () => create(PingResponseSchema),
    get: async ({ key }: { key: string }) => {
      failIf(failures.get);
      return create(GetResponseSchema, await get(key));
    },
    set: async (request: SetRequest) => {
      failIf(failures.set);
      await etagged(store.set(setOf(request)));
      return create(SetResponseSchema);
    },
    delete: async (request: DeleteRequest) => {
      failIf(failures.delete);
      await etagged(store.delete(deleteOf(request)));
      return create(DeleteResponseSchema);
    },
    bulkGet: async ({ items }: { items: readonly { key: string }[] }) => {
      failIf(failures.bulkGet);
      const found = await Promise.all(items.map(async ({ key }) => ({ key, ...(await get(key)) })));
      // Dapr's own components answer in any order.
      return create(BulkGetResponseSchema, { items: found.toReversed() });
    },
    bulkSet: async ({ items }: { items: readonly SetRequest[] }) => {
      failIf(failures.bulkSet);
      for (const item of items) {
        await etagged(store.set(setOf(item)));
      }
      return create(BulkSetResponseSchema);
    },
    bulkDelete: async ({ items }: { items: readonly DeleteRequest[] }) => {
      failIf(failures.bulkDelete);
      for (const item of items) {
        await etagged(store.delete(deleteOf(item)));
      }
      return create(BulkDeleteResponseSchema);
    },
  };
}

function offer(service: OfferedService["service"], register: OfferedService["register"]): OfferedService {
  return { service, register };
}

function wireItem({ data, etag, metadata }: StateItem) {
  const rest = etag === undefined ? {} : { etag: { value: etag } };
  return { data, metadata: { ...metadata }, ...rest };
}

function setOf(request: SetRequest): StateSetRequest {
  return { ...deleteOf(request), value: request.value, valueIsJson: false };
}

function deleteOf({ key, etag, metadata, options }: SetRequest | DeleteRequest): StateDeleteRequest {
  const isFirst = options?.concurrency === StateOptions_StateConcurrency.CONCURRENCY_FIRST_WRITE;
  return { key, etag: etag?.value, metadata, concurrency: isFirst ? "first-write" : "", consistency: "" };
}

function failIf(error: Error | undefined): void {
  if (error !== undefined) {
    throw error;
  }
}

/** Etag errors as components are to tell them: a BadRequest that names the field `etag`. */
async function etagged(write: Promise<void> | undefined): Promise<void> {
  try {
    await write;
  } catch (error) {
    if (!(error instanceof ComponentError)) {
      throw error;
    }
    const violation = (description: string) => ({ fieldViolations: [{ field: "etag", description }] });
    switch (error.kind) {
      case "etagMismatch":
        throw statusWith(GRPC_STATUS.FAILED_PRECONDITION, "etag", BadRequestSchema, violation("it has changed"));
      case "etagInvalid":
        throw statusWith(GRPC_STATUS.INVALID_ARGUMENT, "etag", BadRequestSchema, violation("not a number"));
      default:
        throw new GrpcError(GRPC_STATUS.INVALID_ARGUMENT, error.message);
    }
  }
}
