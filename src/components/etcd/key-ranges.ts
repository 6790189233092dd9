import { ComponentError } from "../spi/errors.ts";
import { isListed } from "../spi/key-page.ts";
import { LikePattern } from "../spi/like-pattern.ts";
import type { KeysLikeRequest, KeysPage, ListedKeys, ListKeysRequest } from "../spi/state.ts";

/** Keys of one call to etcd. */
const KEYS_PER_CALL = 1_000;

/** Keys from `from` up to, not including, `to`, in the order of their bytes. */
export type RangeOfKeys = (
  from: Uint8Array,
  to: Uint8Array,
  limit: number,
) => Promise<{ readonly keys: readonly string[]; readonly more: boolean }>;

/** Keys in order that `accepts` takes, one more than wanted where there is one. */
async function scan(
  range: RangeOfKeys,
  prefix: string,
  after: string | undefined,
  wanted: number,
  accepts: (key: string) => boolean,
): Promise<string[]> {
  const start = Buffer.from(prefix);
  const end = endOf(start);
  const found: string[] = [];
  let from = after === undefined ? start : successorOf(after);
  if (Buffer.compare(from, start) < 0) {
    from = start;
  }
  for (;;) {
    if (Buffer.compare(from, end) >= 0) {
      return found;
    }
    const { keys, more } = await range(from, end, KEYS_PER_CALL);
    for (const key of keys) {
      if (accepts(key)) {
        found.push(key);
        if (found.length > wanted) {
          return found;
        }
      }
    }
    const last = keys.at(-1);
    if (!more || last === undefined) {
      return found;
    }
    from = successorOf(last);
  }
}

/** A page of the keys under a prefix. */
export async function listKeysOf(request: ListKeysRequest, range: RangeOfKeys): Promise<ListedKeys> {
  const { scope, prefix, after, limit } = request;
  const start = scope + prefix;
  const keys = await scan(range, start, after, limit, (key) => isListed(request, start, key));
  return { keys: keys.slice(0, limit), more: keys.length > limit };
}

/** A page of the keys that match; its token is its last key. @throws ComponentError `invalidRequest` for an empty pattern */
export async function keysLikeOf(
  { pattern, continuationToken, pageSize = Number.MAX_SAFE_INTEGER }: KeysLikeRequest,
  range: RangeOfKeys,
): Promise<KeysPage> {
  if (pattern === "") {
    throw new ComponentError("invalidRequest", "keys like pattern cannot be empty");
  }
  const like = new LikePattern(pattern);
  const prefix = /^[^%_\\]*/.exec(pattern)?.[0] ?? "";
  const keys = await scan(range, prefix, continuationToken, pageSize, (key) => like.matches(key));
  const page = keys.slice(0, pageSize);
  return { keys: page, continuationToken: keys.length > pageSize ? page.at(-1) : undefined };
}

/** The first key behind this one. */
function successorOf(key: string): Buffer {
  return Buffer.concat([Buffer.from(key), Buffer.from([0])]);
}

/** The first key behind all that begin with the prefix. UTF-8 has no byte 0xff, so that the last one can always grow. */
function endOf(prefix: Buffer): Buffer {
  const last = prefix.at(-1);
  return last === undefined ? Buffer.from([0xff]) : Buffer.concat([prefix.subarray(0, -1), Buffer.from([last + 1])]);
}
