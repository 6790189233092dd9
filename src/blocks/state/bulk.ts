import { ComponentError } from "../../components/spi/errors.ts";
import type { StateGetRequest, StateItem } from "../../components/spi/state.ts";
import { forEachBounded } from "./bounded.ts";
import { joinFailures } from "./errors.ts";
import type { StoreTarget } from "./store-target.ts";
import type { BulkGetResult, BulkGetState } from "./types.ts";

/**
 * Reads all keys, by the store's own bulk read where it has one. A key that cannot be read or decrypted has its error in
 * its result; only the bulk read itself failing throws ComponentError.
 */
export async function readAll(
  target: StoreTarget,
  request: BulkGetState,
  stored: readonly StateGetRequest[],
): Promise<readonly BulkGetResult[]> {
  const { component } = target;
  if (component.bulkGet !== undefined) {
    const items = await component.bulkGet(stored);
    return request.keys.map((key, index) => resultOf(target, key, items[index]?.item, items[index]?.error));
  }
  const results: BulkGetResult[] = [];
  await forEachBounded(stored.length, request.parallelism, async (index) => {
    const key = request.keys[index] as string;
    try {
      results[index] = resultOf(target, key, await component.get(stored[index] as StateGetRequest), undefined);
    } catch (error) {
      results[index] = { key, item: undefined, error: textOf(error) };
    }
  });
  return results;
}

/** Writes all requests, one directly. @throws ComponentError for what failed; the others have been written */
export async function writeAll<T>(requests: readonly T[], write: (request: T) => Promise<void>): Promise<void> {
  const [first] = requests;
  if (requests.length === 1 && first !== undefined) {
    return write(first);
  }
  const failures: (ComponentError | undefined)[] = [];
  await forEachBounded(requests.length, 0, async (index) => {
    try {
      await write(requests[index] as T);
    } catch (error) {
      if (!(error instanceof ComponentError)) {
        throw error;
      }
      failures[index] = error;
    }
  });
  if (failures.length > 0) {
    throw joinFailures(failures.filter((failure) => failure !== undefined));
  }
}

function resultOf(
  target: StoreTarget,
  key: string,
  item: StateItem | undefined,
  error: string | undefined,
): BulkGetResult {
  if (target.cipher === undefined || item === undefined || item.data.length === 0 || error !== undefined) {
    return { key, item, error };
  }
  try {
    return { key, item: { ...item, data: target.cipher.decrypt(target.name, item.data) }, error: undefined };
  } catch (failure) {
    return { key, item: undefined, error: textOf(failure) };
  }
}

function textOf(error: unknown): string {
  if (!(error instanceof ComponentError)) {
    throw error;
  }
  return error.message;
}
