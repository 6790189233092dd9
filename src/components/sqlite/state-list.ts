import type { Engine } from "../../storage/engine.ts";
import { isListed } from "../spi/key-page.ts";
import type { ListedKeys, ListKeysRequest } from "../spi/state.ts";
import { reading } from "./engine-calls.ts";
import type { StateStatement } from "./state-schema.ts";

/** Rows of the table that one synchronous step looks at; the event loop turns between steps. */
export const SLICE_ROWS = 1_000;

/** A key and when it expires. */
type KeyRow = readonly [key: string, expires: string | null];

/**
 * Walks the primary key from where the page begins, in slices, to the last key with the prefix.
 * @param now the time as rows have it
 * @throws ComponentError `unavailable`
 */
export async function listStateKeys(
  engine: Engine<StateStatement>,
  request: ListKeysRequest,
  now: () => string,
): Promise<ListedKeys> {
  const start = request.scope + request.prefix;
  const keys: string[] = [];
  let statement: "keysFrom" | "keysAfter" = request.after === undefined ? "keysFrom" : "keysAfter";
  let from = request.after ?? start;
  for (;;) {
    const rows = reading(() => engine.readAll(statement, [from, SLICE_ROWS])) as unknown as readonly KeyRow[];
    const time = now();
    for (const [key, expires] of rows) {
      if (!key.startsWith(start)) {
        return { keys, more: false };
      }
      if (isListed(request, start, key) && (expires === null || expires > time)) {
        if (keys.length === request.limit) {
          return { keys, more: true };
        }
        keys.push(key);
      }
      from = key;
    }
    if (rows.length < SLICE_ROWS) {
      return { keys, more: false };
    }
    statement = "keysAfter";
    await turn();
  }
}

/** Lets the event loop do what waits. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
