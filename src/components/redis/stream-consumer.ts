import { sleep, type Timer } from "../../kit/clock.ts";
import { errorMessage } from "../../kit/error-message.ts";
import type { ComponentDeps } from "../spi/component.ts";
import { ComponentError } from "../spi/errors.ts";
import { ConsumerGoneError, type MessageHandler } from "../spi/pubsub.ts";
import { type RedisClient, type RedisReply, sendRaw } from "./client.ts";
import { REPEATABLE, RedisConnection } from "./connection.ts";
import type { HandlerSlots } from "./handler-slots.ts";
import { STREAM_BLOCK_MS, STREAM_CLOSE_MS, STREAM_PAUSE_MS } from "./limits.ts";
import { PendingMessages } from "./pending-messages.ts";
import type { PubSubOptions } from "./pubsub-options.ts";
import { replyList } from "./replies.ts";
import type { RedisSettings } from "./settings.ts";
import { entryMessage, type StreamEntry, streamEntries } from "./stream-entry.ts";

export interface StreamConsumerOptions {
  readonly settings: RedisSettings;
  readonly options: PubSubOptions;
  /** For all commands but reads, which block their connection. */
  readonly connection: RedisConnection;
  readonly slots: HandlerSlots;
  readonly deps: ComponentDeps;
  readonly topic: string;
  readonly handler: MessageHandler;
}

/** A message in our hands. */
interface Held {
  readonly entry: StreamEntry;
  /** On the monotonic clock. */
  readonly heldSinceMs: number;
  started: boolean;
}

/** Milliseconds between two attempts to wake the blocked read of a subscription that closes. */
const UNBLOCK_PERIOD_MS = 10;

/** How long an acknowledgement waits for an outage to end where no processing timeout says it, in milliseconds. */
const ACK_WAIT_MS_DEFAULT = 60_000;

/**
 * One subscription: reads its stream as long as there is room, hands messages to the handler, acknowledges those that
 * succeeded, and takes over messages that stayed unacknowledged for too long, whoever had them.
 */
export class StreamConsumer {
  readonly #o: StreamConsumerOptions;
  readonly #reader: RedisConnection;
  readonly #pending: PendingMessages;
  readonly #held = new Map<string, Held>();
  readonly #closing = new AbortController();
  #roomWaiters: (() => void)[] = [];
  #readerId = "";
  #reading: Promise<void> = Promise.resolve();
  #redelivery: Timer | undefined;
  #reclaiming = Promise.resolve();
  #reclaimsWaiting = 0;
  #closed: Promise<void> | undefined;
  #idle: (() => void) | undefined;

  constructor(options: StreamConsumerOptions) {
    this.#o = options;
    this.#reader = new RedisConnection(options.settings, options.deps, { prepare: (client) => this.#prepare(client) });
    this.#pending = new PendingMessages(options.connection, options.topic, options.options.consumerId);
  }

  /** @throws ComponentError when the group cannot be made or read */
  async start(): Promise<void> {
    await this.#createGroup();
    await this.#reader.open(this.#closing.signal);
    this.#reading = this.#read();
    const { processingTimeoutMs, redeliverIntervalMs } = this.#o.options;
    if (processingTimeoutMs !== undefined) {
      this.#redelivery = this.#o.deps.clock.every(redeliverIntervalMs, () => this.#reclaim(processingTimeoutMs));
      this.#reclaim(processingTimeoutMs);
    }
  }

  /** Resolves when handlers under way have settled; messages that no handler has seen go back at once. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    this.#closing.abort(new Error("the subscription is closed"));
    this.#redelivery?.cancel();
    this.#wakeWaiters();
    await this.#endReading();
    await this.#reader.close();
    await this.#reclaiming;
    const waiting = [...this.#held.values()].filter(({ started }) => !started).map(({ entry }) => entry.id);
    for (const id of waiting) {
      this.#held.delete(id);
    }
    if (this.#held.size > 0) {
      await new Promise<void>((resolve) => (this.#idle = resolve));
    }
    const { processingTimeoutMs } = this.#o.options;
    if (waiting.length > 0 && processingTimeoutMs !== undefined) {
      await this.#pending.giveBack(waiting, processingTimeoutMs).catch(() => undefined);
    }
  }

  async #prepare(client: RedisClient): Promise<void> {
    this.#readerId = String(await sendRaw(client, ["CLIENT", "ID"]));
  }

  /** A read that is cut off may lose what the server was about to send until it is delivered again; so it is woken. */
  async #endReading(): Promise<void> {
    const { clock } = this.#o.deps;
    const deadlineMs = clock.monotonicMs() + STREAM_CLOSE_MS;
    let ended = false;
    const end = this.#reading.then(() => {
      ended = true;
    });
    // Set in the callback above; the read may also end by itself.
    const goesOn = (): boolean => !ended && clock.monotonicMs() < deadlineMs;
    while (goesOn()) {
      this.#o.connection.send(["CLIENT", "UNBLOCK", this.#readerId], { waitMs: 0 }).catch(() => undefined);
      await Promise.race([end, sleep(clock, UNBLOCK_PERIOD_MS)]);
    }
    if (!ended) {
      await this.#reader.close();
      await end;
    }
  }

  async #createGroup(): Promise<void> {
    const { connection, topic, options, deps } = this.#o;
    try {
      await connection.send(["XGROUP", "CREATE", topic, options.consumerId, "0", "MKSTREAM"], REPEATABLE);
    } catch (error) {
      if (!errorMessage(error).startsWith("BUSYGROUP")) {
        deps.logger.error(`redis streams: ${errorMessage(error)}`);
        throw error;
      }
    }
  }

  async #read(): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      if (this.#room() === 0) {
        await this.#untilRoom();
        continue;
      }
      try {
        for (const stream of replyList(await this.#readMore())) {
          this.#take(streamEntries(replyList(stream)[1]));
        }
      } catch (error) {
        if (!signal.aborted) {
          await this.#recover(error);
        }
      }
    }
  }

  #readMore(): Promise<RedisReply> {
    const { topic, options } = this.#o;
    const group = ["GROUP", options.consumerId, options.consumerId];
    const limits = ["COUNT", String(this.#room()), "BLOCK", String(STREAM_BLOCK_MS)];
    return this.#reader.send(["XREADGROUP", ...group, ...limits, "STREAMS", topic, ">"], { blockMs: STREAM_BLOCK_MS });
  }

  /** An outage has been logged by the connection; a group that is gone was lost with the server's data. */
  async #recover(error: unknown): Promise<void> {
    const { deps, options, topic } = this.#o;
    const { signal } = this.#closing;
    const text = errorMessage(error);
    if (text.includes("NOGROUP")) {
      deps.logger.warn(
        `redis streams: consumer group ${options.consumerId} does not exist for stream ${topic}. This could mean the server experienced data loss, or the group/stream was deleted.`,
      );
      deps.logger.warn(`redis streams: recreating group ${options.consumerId} for stream ${topic}`);
      await this.#createGroup().catch(() => undefined);
      return;
    }
    if (!(error instanceof ComponentError && error.kind === "unavailable")) {
      deps.logger.error(`redis streams: error reading from stream ${topic}: ${text}`);
    }
    await sleep(deps.clock, STREAM_PAUSE_MS, signal).catch(() => undefined);
  }

  #take(entries: readonly StreamEntry[]): void {
    const heldSinceMs = this.#o.deps.clock.monotonicMs();
    for (const entry of entries) {
      if (!this.#held.has(entry.id)) {
        const held: Held = { entry, heldSinceMs, started: false };
        this.#held.set(entry.id, held);
        this.#o.slots.run(() => this.#process(held));
      }
    }
  }

  async #process(held: Held): Promise<void> {
    const { id } = held.entry;
    if (this.#held.get(id) !== held || this.#closing.signal.aborted) {
      return;
    }
    const { clock } = this.#o.deps;
    const { processingTimeoutMs = Infinity } = this.#o.options;
    // After so long in the queue somebody else may have taken it over; if not, we will, by asking the server.
    if (clock.monotonicMs() - held.heldSinceMs < processingTimeoutMs) {
      held.started = true;
      await this.#handle(held.entry);
    }
    this.#held.delete(id);
    this.#wakeWaiters();
    if (this.#held.size === 0) {
      this.#idle?.();
    }
  }

  async #handle(entry: StreamEntry): Promise<void> {
    const { deps, options, topic, handler, connection } = this.#o;
    const { processingTimeoutMs } = options;
    const timeout = new AbortController();
    const timer =
      processingTimeoutMs === undefined
        ? undefined
        : deps.clock.after(processingTimeoutMs, () => timeout.abort(new Error("context deadline exceeded")));
    try {
      await handler(entryMessage(topic, entry, deps.logger), timeout.signal);
    } catch (error) {
      if (!(error instanceof ConsumerGoneError)) {
        deps.logger.error(`Error processing Redis message ${entry.id}: ${errorMessage(error)}`);
      } else if (processingTimeoutMs !== undefined) {
        await this.#pending.giveBack([entry.id], processingTimeoutMs).catch(() => undefined);
      }
      return;
    } finally {
      timer?.cancel();
    }
    try {
      const waitMs = processingTimeoutMs ?? ACK_WAIT_MS_DEFAULT;
      await connection.send(["XACK", topic, options.consumerId, entry.id], { repeatable: true, waitMs });
    } catch (error) {
      deps.logger.error(`Error acknowledging Redis message ${entry.id}: ${errorMessage(error)}`);
    }
  }

  /** One after the other; ticks during a long one are dropped. */
  #reclaim(processingTimeoutMs: number): void {
    if (this.#reclaimsWaiting > 0) {
      return;
    }
    this.#reclaimsWaiting += 1;
    this.#reclaiming = this.#takeOver(processingTimeoutMs)
      .catch((error: unknown) => {
        if (!this.#closing.signal.aborted) {
          this.#o.deps.logger.error(`error retrieving pending Redis messages: ${errorMessage(error)}`);
        }
      })
      .finally(() => {
        this.#reclaimsWaiting -= 1;
      });
  }

  async #takeOver(processingTimeoutMs: number): Promise<void> {
    for await (const overdue of this.#pending.overdue(processingTimeoutMs)) {
      let left = overdue.filter((id) => !this.#held.has(id));
      while (left.length > 0) {
        if (this.#room() === 0) {
          await this.#untilRoom();
        }
        if (this.#closing.signal.aborted) {
          return;
        }
        const next = left.slice(0, this.#room());
        left = left.slice(next.length);
        this.#take(await this.#pending.claim(next, processingTimeoutMs));
      }
    }
  }

  #room(): number {
    return Math.max(0, this.#o.options.heldMax - this.#held.size);
  }

  #untilRoom(): Promise<void> {
    return this.#closing.signal.aborted ? Promise.resolve() : new Promise((resolve) => this.#roomWaiters.push(resolve));
  }

  #wakeWaiters(): void {
    const waiters = this.#roomWaiters;
    this.#roomWaiters = [];
    for (const wake of waiters) {
      wake();
    }
  }
}
