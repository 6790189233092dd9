import { ComponentError } from "../spi/errors.ts";
import { REPEATABLE, type RedisConnection } from "./connection.ts";
import { KEYS_PER_PAGE, LISTED_KEYS_MAX } from "./limits.ts";
import { replyList, replyText } from "./replies.ts";

/**
 * The keys that match a glob, each once, in the order of their UTF-16 units.
 * @throws ComponentError `unavailable` when there are more than a listing may hold
 */
export async function scanKeys(connection: RedisConnection, glob: string): Promise<string[]> {
  const keys = new Set<string>();
  await scanEach(connection, glob, (key) => {
    keys.add(key);
    if (keys.size > LISTED_KEYS_MAX) {
      throw new ComponentError(
        "unavailable",
        `more than ${LISTED_KEYS_MAX} keys match, which is the limit of a listing`,
      );
    }
  });
  return [...keys].sort();
}

/** Calls `visit` with the keys that match a glob, in no order and now and then more than once. */
export async function scanEach(connection: RedisConnection, glob: string, visit: (key: string) => void): Promise<void> {
  let cursor = "0";
  do {
    const reply = replyList(
      await connection.send(["SCAN", cursor, "MATCH", glob, "COUNT", String(KEYS_PER_PAGE)], REPEATABLE),
    );
    cursor = replyText(reply[0]) ?? "0";
    for (const key of replyList(reply[1])) {
      visit(replyText(key) ?? "");
    }
  } while (cursor !== "0");
}
