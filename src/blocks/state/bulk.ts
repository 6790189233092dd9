import { ComponentError } from "../../components/spi/errors.ts";
import type { StateGetRequest, StateItem } from "../../components/spi/state.ts";
import type { Policy } from "../../resiliency/types.ts";
import { guarded, isEtagError } from "../component-policy.ts";
import { forEachBounded } from "./bounded.ts";
import { joinFailures } from "./errors.ts";
import type { StoreTarget, Writer } from "./store-target.ts";
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

/**
 * Writes all requests, one directly, several in one call of a store that takes that. Under a policy only what has failed is tried again, and nothing that has an etag
 * error, as in Dapr; what a retry left out still counts as failed, which Dapr forgets.
 * @throws ComponentError for what failed; the others have been written
 */
export async function writeAll<T>(
  policy: Policy | undefined,
  requests: readonly T[],
  check: (request: T) => void,
  { one, many }: Writer<T>,
): Promise<void> {
  const write = (request: T): Promise<void> => {
    check(request);
    return one(request);
  };
  const [first] = requests;
  if (policy === undefined && requests.length === 1 && first !== undefined) {
    return write(first);
  }
  if (many !== undefined && requests.length > 1) {
    requests.forEach(check);
    return guarded(policy, () => many(requests));
  }
  if (policy === undefined) {
    throwJoined(requests, await failuresOf(requests, write));
    return;
  }
  const failed = new Map<T, ComponentError>();
  let left = requests;
  let current = 0;
  await guarded(
    policy,
    async (_signal, number) => {
      current = number;
      const failures = await failuresOf(left, write);
      if (number !== current) {
        return; // Its time ran out, and another attempt has begun with all it had.
      }
      left.forEach((request) => failed.delete(request));
      failures.forEach((error, request) => failed.set(request, error));
      left = left.filter((request) => failures.has(request) && !isEtagError(failures.get(request)));
      throwJoined(requests, failed);
    },
    { isPermanent: () => left.length === 0 },
  );
}

async function failuresOf<T>(
  requests: readonly T[],
  write: (request: T) => Promise<void>,
): Promise<ReadonlyMap<T, ComponentError>> {
  const failures = new Map<T, ComponentError>();
  await forEachBounded(requests.length, 0, async (index) => {
    const request = requests[index] as T;
    try {
      await write(request);
    } catch (error) {
      if (!(error instanceof ComponentError)) {
        throw error;
      }
      failures.set(request, error);
    }
  });
  return failures;
}

/** Errors in the order of the requests; that of a single request as it is. */
function throwJoined<T>(requests: readonly T[], failures: ReadonlyMap<T, ComponentError>): void {
  const errors = requests.flatMap((request) => failures.get(request) ?? []);
  const [first] = errors;
  if (first !== undefined) {
    throw requests.length === 1 ? first : joinFailures(errors);
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
