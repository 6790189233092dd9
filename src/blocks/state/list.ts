import type { ListedKeys } from "../../components/spi/state.ts";
import { stateErrors } from "../../errors/catalogue/state.ts";
import { apiError } from "../../errors/error.ts";
import { readAll } from "./bulk.ts";
import { illegalKey, listingNotSupported } from "./errors.ts";
import { SEPARATOR } from "./key-prefix.ts";
import { decodePageToken, encodePageToken } from "./page-token.ts";
import type { StoreTarget } from "./store-target.ts";
import type { BulkGetResult, ListedState, ListState } from "./types.ts";

/** Items of a page where the caller does not say. */
export const LIST_PAGE_SIZE_DEFAULT = 100;
/** Items of a page at most. */
export const LIST_PAGE_SIZE_MAX = 1_000;
/** Bytes of values after which a page ends early; its first item always fits. */
export const LIST_PAGE_VALUE_BYTES_MAX = 2 * 1024 * 1024;

/** Values read at once for a page. */
const VALUES_PER_READ = 64;

/** Markers of the outbox lie among the keys of a store without prefix. */
const OUTBOX_MARKER = /^outbox-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** What a listing asks of its store; checked before the store is. */
interface Listing {
  readonly prefix: string;
  readonly pageSize: number;
  readonly after: string | undefined;
}

/** @throws ApiError for a request that cannot be, or a store that cannot list */
export function listingOf(target: StoreTarget, request: ListState): Listing {
  if (target.listKeys === undefined) {
    throw listingNotSupported(target.name);
  }
  const { prefix, pageSize = LIST_PAGE_SIZE_DEFAULT, token = "" } = request;
  if (prefix.includes(SEPARATOR)) {
    throw illegalKey(target.name, prefix);
  }
  if (!Number.isInteger(pageSize) || pageSize < 1 || pageSize > LIST_PAGE_SIZE_MAX) {
    throw apiError(stateErrors.listPageSize, { limit: LIST_PAGE_SIZE_MAX });
  }
  const after = token === "" ? undefined : decodePageToken(token);
  if (after !== undefined && !after.startsWith(prefix)) {
    throw apiError(stateErrors.listToken, {});
  }
  return { prefix, pageSize, after };
}

/**
 * One page of the keys that begin with the prefix, without the store's own prefix, in the order of their UTF-8 bytes.
 * With values, a page ends early where they get too big, and an item that goes away meanwhile is left out.
 * @throws ComponentError when the store cannot be read
 */
export async function listPage(target: StoreTarget, listing: Listing, request: ListState): Promise<ListedState> {
  const { keys, more } = await listKeys(target, listing);
  const names = keys.map((key) => key.slice(target.prefix.length));
  if (!request.includeValues) {
    const items = visible(target, names).map((key) => ({ key, item: undefined, error: undefined }));
    return { items, token: more ? encodePageToken(names.at(-1)) : undefined };
  }
  const items: BulkGetResult[] = [];
  let bytes = 0;
  for (let from = 0; from < names.length; from += VALUES_PER_READ) {
    const some = names.slice(from, from + VALUES_PER_READ);
    for (const result of await readValues(target, request, visible(target, some))) {
      bytes += result.item?.data.length ?? 0;
      if (items.length > 0 && bytes > LIST_PAGE_VALUE_BYTES_MAX) {
        return { items, token: encodePageToken(items.at(-1)?.key) };
      }
      if (result.item !== undefined || result.error !== undefined) {
        items.push(result);
      }
    }
  }
  return { items, token: more ? encodePageToken(names.at(-1)) : undefined };
}

function listKeys(target: StoreTarget, { prefix, pageSize, after }: Listing): Promise<ListedKeys> {
  const request = {
    scope: target.prefix,
    prefix,
    after: after === undefined ? undefined : target.prefix + after,
    limit: pageSize,
  };
  return target.listKeys?.call(target.component, request) ?? Promise.resolve({ keys: [], more: false });
}

function readValues(
  target: StoreTarget,
  { metadata }: ListState,
  keys: readonly string[],
): Promise<readonly BulkGetResult[]> {
  const requests = keys.map((key) => ({ key: target.prefix + key, metadata, consistency: "" as const }));
  return readAll(target, { store: target.name, keys, parallelism: 0, metadata }, requests);
}

function visible(target: StoreTarget, names: readonly string[]): readonly string[] {
  return target.outbox === undefined || target.prefix !== ""
    ? names
    : names.filter((name) => !OUTBOX_MARKER.test(name));
}
