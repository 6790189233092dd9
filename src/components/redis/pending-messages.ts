import { REPEATABLE, type RedisConnection } from "./connection.ts";
import { replyList, replyNumber, replyText } from "./replies.ts";
import { nextEntryId, type StreamEntry, streamEntries } from "./stream-entry.ts";

/** Entries of a group's pending list that are looked at in one command. */
const PAGE_ENTRIES = 100;

/** The messages of a group that were delivered and not acknowledged, as the server keeps them. */
export class PendingMessages {
  readonly #connection: RedisConnection;
  readonly #topic: string;
  readonly #consumerId: string;

  constructor(connection: RedisConnection, topic: string, consumerId: string) {
    this.#connection = connection;
    this.#topic = topic;
    this.#consumerId = consumerId;
  }

  /** Pages of ids that have been pending for `idleMs` or more, oldest messages first. */
  async *overdue(idleMs: number): AsyncGenerator<readonly string[]> {
    let start = "-";
    for (;;) {
      const range = ["XPENDING", this.#topic, this.#consumerId, start, "+", String(PAGE_ENTRIES)];
      const entries = replyList(await this.#connection.send(range, REPEATABLE)).map(replyList);
      yield entries.filter((entry) => replyNumber(entry[2]) >= idleMs).map((entry) => replyText(entry[0]) ?? "");
      if (entries.length < PAGE_ENTRIES) {
        return;
      }
      start = nextEntryId(replyText(entries.at(-1)?.[0]) ?? "");
    }
  }

  /** Takes messages over, those that are still overdue. Messages that were trimmed from the stream are forgotten. */
  async claim(ids: readonly string[], idleMs: number): Promise<StreamEntry[]> {
    const to = [this.#topic, this.#consumerId, this.#consumerId];
    const reply = await this.#connection.send(["XCLAIM", ...to, String(idleMs), ...ids]);
    const entries = streamEntries(reply);
    // Redis 7 forgets trimmed messages by itself; older ones say nil where they would stand.
    if (replyList(reply).includes(null)) {
      const claimed = new Set(entries.map(({ id }) => id));
      await this.#forgetTrimmed(ids.filter((id) => !claimed.has(id)));
    }
    return entries;
  }

  /** Makes messages overdue, so that the next who looks takes them over. */
  async giveBack(ids: readonly string[], idleMs: number): Promise<void> {
    const to = [this.#topic, this.#consumerId, this.#consumerId];
    await this.#connection.send(["XCLAIM", ...to, "0", ...ids, "IDLE", String(idleMs), "JUSTID"], REPEATABLE);
  }

  async #forgetTrimmed(ids: readonly string[]): Promise<void> {
    for (const id of ids) {
      const found = replyList(await this.#connection.send(["XRANGE", this.#topic, id, id], REPEATABLE));
      if (found.length === 0) {
        await this.#connection.send(["XACK", this.#topic, this.#consumerId, id], REPEATABLE);
      }
    }
  }
}
