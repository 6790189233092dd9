import { ComponentError } from "../../components/spi/errors.ts";
import type {
  Concurrency,
  Consistency,
  StateDeleteRequest,
  StateGetRequest,
  StateSetRequest,
  StateStore,
} from "../../components/spi/state.ts";
import { apiError } from "../../errors/error.ts";
import { stateErrors } from "../../errors/catalogue/state.ts";
import type { Loaded } from "../../inventory/types.ts";
import { jsonFault } from "../../kit/json-scanner.ts";
import type { Random } from "../../kit/random.ts";
import type { ComponentCalls } from "../../telemetry/metrics/component-calls.ts";
import type { Policy } from "../../resiliency/types.ts";
import { type StateCipher, stateCipherOf } from "./cipher.ts";
import { guardedTransaction } from "./guarded-transaction.ts";
import { type KeyOwner, keyPrefixOf, storedKey } from "./key-prefix.ts";
import { type OutboxSettings, outboxSettingsOf } from "./outbox-port.ts";
import type { DeleteItem, GetState, SaveItem } from "./types.ts";

const JSON_CONTENT_TYPE = "application/json";

/** How a store takes writes of one kind: `many` where it takes several in one call. */
export interface Writer<T> {
  readonly one: (request: T) => Promise<void>;
  readonly many: ((requests: readonly T[]) => Promise<void>) | undefined;
}

/** A loaded store with everything that its metadata decides worked out, so that requests only look it up. */
export interface StoreTarget {
  readonly name: string;
  readonly component: StateStore;
  readonly prefix: string;
  readonly cipher: StateCipher | undefined;
  /** Undefined where the store cannot do transactions, or says so. */
  readonly transact: StateStore["transact"];
  readonly writes: Writer<StateSetRequest>;
  readonly deletes: Writer<StateDeleteRequest>;
  readonly query: StateStore["query"];
  readonly listKeys: StateStore["listKeys"];
  /** Undefined: transactions on the store publish nothing. */
  readonly outbox: OutboxSettings | undefined;
  readonly calls: ComponentCalls;
  /** For every call of the component but transactions, which have it in them. */
  readonly policy: Policy | undefined;
}

/**
 * @throws ApiError for an illegal key prefix
 * @throws ComponentError `invalidMetadata` for an encryption key that cannot be used
 */
export function compileTarget(
  loaded: Loaded<StateStore>,
  owner: KeyOwner,
  random: Random,
  calls: ComponentCalls,
  policy: Policy | undefined,
): StoreTarget {
  const { name, component, manifest, metadata, secretNames } = loaded;
  return {
    name,
    component,
    prefix: keyPrefixOf(name, metadata, owner),
    cipher: stateCipherOf(metadata, secretNames, random),
    transact: (component.capabilities ?? manifest.capabilities).includes("TRANSACTIONAL")
      ? transactOf(component, policy)
      : undefined,
    writes: { one: (request) => component.set(request), many: component.bulkSet?.bind(component) },
    deletes: { one: (request) => component.delete(request), many: component.bulkDelete?.bind(component) },
    query: component.query,
    listKeys: component.listKeys,
    outbox: outboxSettingsOf(metadata),
    calls,
    policy,
  };
}

function transactOf(component: StateStore, policy: Policy | undefined): StateStore["transact"] {
  const { transact } = component;
  return transact === undefined || policy === undefined ? transact : guardedTransaction(component, transact, policy);
}

/** The component's request for one read. @throws ApiError for an illegal key */
export function getRequestOf(
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

/** The component's request for one save: key prefixed, value checked and encrypted. @throws ApiError */
export function setRequestOf(target: StoreTarget, item: SaveItem): StateSetRequest {
  const key = storedKey(target.name, target.prefix, item.key);
  const { cipher } = target;
  return {
    key,
    value: cipher === undefined ? item.value : cipher.encrypt(item.value, item.valueIsJson),
    valueIsJson: item.valueIsJson && cipher === undefined,
    etag: item.etag,
    metadata: item.metadata,
    concurrency: item.concurrency as Concurrency,
    consistency: item.consistency as Consistency,
  };
}

/** As `setRequestOf`, but a value of opaque bytes whose metadata call it JSON must be JSON, and is stored as such. */
export function saveRequestOf(target: StoreTarget, item: SaveItem): StateSetRequest {
  if (item.key === "") {
    throw apiError(stateErrors.keyEmpty, {});
  }
  const request = setRequestOf(target, item);
  if (item.valueIsJson || item.metadata["contentType"] !== JSON_CONTENT_TYPE) {
    return request;
  }
  const fault = jsonFault(item.value);
  if (fault !== undefined) {
    throw apiError(stateErrors.malformedValue, { reason: fault });
  }
  return target.cipher === undefined ? { ...request, valueIsJson: true } : request;
}

export function deleteRequestOf(target: StoreTarget, item: DeleteItem): StateDeleteRequest {
  return {
    key: storedKey(target.name, target.prefix, item.key),
    etag: item.etag,
    metadata: item.metadata,
    concurrency: item.concurrency as Concurrency,
    consistency: item.consistency as Consistency,
  };
}

/**
 * Options come from callers as they wrote them. Dapr's stores refuse unknown ones per item when writing.
 * @throws ComponentError `invalidRequest`
 */
export function checkOptions({
  concurrency,
  consistency,
}: {
  readonly concurrency: string;
  readonly consistency: string;
}): void {
  if (consistency !== "" && consistency !== "strong" && consistency !== "eventual") {
    throw new ComponentError("invalidRequest", `unrecognized consistency model '${consistency}'`);
  }
  if (concurrency !== "" && concurrency !== "first-write" && concurrency !== "last-write") {
    throw new ComponentError("invalidRequest", `unrecognized concurrency model '${concurrency}'`);
  }
}
