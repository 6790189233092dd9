import { ComponentError } from "../../components/spi/errors.ts";
import type {
  Concurrency,
  Consistency,
  StateDeleteRequest,
  StateSetRequest,
  StateStore,
} from "../../components/spi/state.ts";
import { apiError } from "../../errors/error.ts";
import { stateErrors } from "../../errors/catalogue/state.ts";
import type { Loaded } from "../../inventory/types.ts";
import { jsonFault } from "../../kit/json-scanner.ts";
import type { Random } from "../../kit/random.ts";
import { type StateCipher, stateCipherOf } from "./cipher.ts";
import { type KeyOwner, keyPrefixOf, storedKey } from "./key-prefix.ts";
import type { DeleteItem, SaveItem } from "./types.ts";

const JSON_CONTENT_TYPE = "application/json";

/** A loaded store with everything that its metadata decides worked out, so that requests only look it up. */
export interface StoreTarget {
  readonly name: string;
  readonly component: StateStore;
  readonly prefix: string;
  readonly cipher: StateCipher | undefined;
  /** Undefined where the store cannot do transactions, or says so. */
  readonly transact: StateStore["transact"];
}

/**
 * @throws ApiError for an illegal key prefix
 * @throws ComponentError `invalidMetadata` for an encryption key that cannot be used
 */
export function compileTarget(loaded: Loaded<StateStore>, owner: KeyOwner, random: Random): StoreTarget {
  const { name, component, manifest, metadata, secretNames } = loaded;
  return {
    name,
    component,
    prefix: keyPrefixOf(name, metadata, owner),
    cipher: stateCipherOf(metadata, secretNames, random),
    transact: manifest.capabilities.includes("TRANSACTIONAL") ? component.transact : undefined,
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
