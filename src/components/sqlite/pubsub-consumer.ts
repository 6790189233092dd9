import type { Clock, Timer } from "../../kit/clock.ts";
import { errorMessage } from "../../kit/error-message.ts";
import type { Logger } from "../../kit/logger.ts";
import type { Engine, Row, WriteResult } from "../../storage/engine.ts";
import { ConsumerGoneError, type MessageHandler } from "../spi/pubsub.ts";
import { Exchange, type ExchangeKeys, type Settlement } from "./pubsub-exchange.ts";
import { Hand, type Held } from "./pubsub-hand.ts";
import { messageOf } from "./pubsub-message.ts";
import type { PubSubStatement } from "./pubsub-schema.ts";

/** How long to wait after the database refused, in milliseconds, unless the next renewal is due earlier. */
const RETRY_MS = 1_000;
/** Renewals within `processingTimeout`: two in a row may fail or be late. */
const RENEWALS_PER_TIMEOUT = 3;
/** Longest timer in milliseconds; a later time is waited for in several. A process's timers end at 2^31 ms. */
const TIMER_MS_MAX = 3_600_000;
/** Characters of an error that are kept beside a dead letter. */
const REASON_CHARS_MAX = 4_096;

/** What a consumer is made for. Times are in milliseconds. */
export interface ConsumerOptions extends ExchangeKeys {
  readonly engine: Engine<PubSubStatement>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly topic: string;
  readonly handlersMax: number;
  readonly processingTimeoutMs: number;
  /** 0: no limit. */
  readonly handlerTimeoutMs: number;
  readonly backOffInitialMs: number;
  readonly backOffMaxMs: number;
  /** 0: no limit. */
  readonly deliveriesMax: number;
  /** Told that a dead letter was published. */
  readonly published: (topic: string) => void;
}

/**
 * One sidecar's share of a subscription: claims messages, starts their handlers in the order of publishing, renews what
 * it holds, and settles it. Everything it has to tell the database goes in one write at a time, together with the next
 * claim; what comes up meanwhile goes in the next. Who holds nothing writes nothing.
 */
export class Consumer {
  readonly #options: ConsumerOptions;
  readonly #handler: MessageHandler;
  /** Never aborted: closing lets handlers finish. */
  readonly #signal = new AbortController().signal;
  readonly #hand: Hand;
  readonly #renewMs: number;
  #acknowledged: Held[] = [];
  /** Everything that is settled in another way. */
  #settling: Settlement[] = [];
  #mayHaveWork = true;
  #mustRenew = false;
  #renewTimer: Timer | undefined;
  /** When an exchange that goes out anyway looks for what it could renew. */
  #renewAlongMs = 0;
  #exchanging = false;
  #timer: Timer | undefined;
  #timerDueMs = Infinity;
  #closing = false;
  #closed: PromiseWithResolvers<void> | undefined;

  constructor(options: ConsumerOptions, handler: MessageHandler) {
    this.#options = options;
    this.#handler = handler;
    this.#hand = new Hand(options.handlersMax);
    this.#renewMs = Math.min(TIMER_MS_MAX, Math.ceil(options.processingTimeoutMs / RENEWALS_PER_TIMEOUT));
  }

  /** There may be messages. */
  wake(): void {
    this.#mayHaveWork = true;
    this.#exchange();
  }

  /** Looks whether there are messages, without writing. */
  poll(): void {
    const { engine, subscriptionId, topicId, clock } = this.#options;
    if (!this.#mayHaveWork && engine.read("hasWork", [subscriptionId, topicId, clock.now()])?.[0] === 1) {
      this.wake();
    }
  }

  /** Takes nothing more, gives back what has not been started, and resolves when all is settled. */
  close(): Promise<void> {
    this.#closed ??= Promise.withResolvers<void>();
    if (!this.#closing) {
      this.#closing = true;
      this.#releaseWaiting(true);
      this.#exchange();
    }
    return this.#closed.promise;
  }

  #exchange(): void {
    if (this.#exchanging) {
      return;
    }
    const exchange = this.#nextExchange();
    if (exchange === undefined || exchange.steps.length === 0) {
      this.#finishClose();
      return;
    }
    this.#exchanging = true;
    this.#options.engine.write(exchange.steps).then(
      (result) => this.#exchanged(exchange, result),
      (error: unknown) => this.#refused(exchange, error),
    );
  }

  /** Undefined when there is nothing to tell and nothing to ask for. */
  #nextExchange(): Exchange | undefined {
    const room = this.#hand.room;
    const claims = this.#mayHaveWork && room > 0 && !this.#closing;
    if (!claims && !this.#mustRenew && this.#acknowledged.length === 0 && this.#settling.length === 0) {
      return undefined;
    }
    const { clock, processingTimeoutMs } = this.#options;
    const nowMs = clock.now();
    const dueMs = nowMs + processingTimeoutMs;
    const exchange = new Exchange(this.#options, this.#acknowledged, this.#settling);
    this.#acknowledged = [];
    this.#settling = [];
    if (this.#mustRenew || nowMs >= this.#renewAlongMs) {
      const halfMs = Math.ceil(this.#renewMs / 2);
      this.#mustRenew = false;
      this.#renewAlongMs = nowMs + halfMs;
      exchange.renew(this.#hand.dueBy(dueMs - halfMs), dueMs);
    }
    if (claims) {
      this.#mayHaveWork = false;
      exchange.claim(nowMs, dueMs, room);
    }
    return exchange;
  }

  #exchanged(exchange: Exchange, result: WriteResult): void {
    this.#exchanging = false;
    if (exchange.hasDeadLetters) {
      this.#options.published(this.#options.deadLetterTopic);
    }
    const lost = exchange.noteRenewed(result);
    this.#hand.lose(lost);
    this.#reportLost(lost.length + exchange.lateAcknowledgements(result));
    if (exchange.claims > 0) {
      const rows = exchange.claimedOf(result);
      this.#mayHaveWork ||= rows.length >= exchange.claims;
      this.#take(rows, exchange.dueMs);
      if (!this.#mayHaveWork) {
        this.#awaitNextDue();
      }
    }
    this.#startWaiting(exchange.renewed.length > 0 ? 1 : this.#renewMs);
    this.#awaitRenewal();
    this.#exchange();
  }

  #reportLost(count: number): void {
    const { logger, topic, processingTimeoutMs } = this.#options;
    if (count > 0) {
      logger.warn(
        `topic ${topic}: ${count} messages in hand belong to this sidecar no more: it stood still or could not write for ` +
          `longer than processingTimeout (${processingTimeoutMs} ms), or their subscription was deleted`,
      );
    }
  }

  #refused(exchange: Exchange, error: unknown): void {
    this.#options.logger.error(
      `topic ${this.#options.topic}: the database did not take a step of delivery: ${errorMessage(error)}`,
    );
    this.#acknowledged.unshift(...exchange.acknowledged);
    this.#settling.unshift(...exchange.settlements);
    this.#mayHaveWork = true;
    this.#mustRenew = this.#hand.firstDueMs < Infinity;
    if (this.#closing && this.#hand.running === 0) {
      this.#abandon();
      return;
    }
    this.#options.clock.after(Math.min(RETRY_MS, this.#renewMs), () => {
      this.#exchanging = false;
      this.#exchange();
    });
  }

  /** The database is out of reach and we are to end: what is in hand comes back to others by itself when its time is out. */
  #abandon(): void {
    this.#acknowledged = [];
    this.#settling = [];
    this.#exchanging = false;
    this.#finishClose();
  }

  #finishClose(): void {
    if (this.#closing && this.#hand.running === 0 && !this.#exchanging) {
      this.#timer?.cancel();
      this.#renewTimer?.cancel();
      this.#closed?.resolve();
    }
  }

  #take(rows: readonly Row[], dueMs: number): void {
    const { deliveriesMax } = this.#options;
    const taken: Held[] = [];
    for (const [id, attempts] of rows) {
      const held: Held = { id: Number(id), attempts: Number(attempts), dueMs, startedMs: 0, state: "ours" };
      if (held.attempts === 0) {
        continue;
      }
      if (this.#closing) {
        this.#release(held);
      } else if (deliveriesMax > 0 && held.attempts > deliveriesMax) {
        this.#park(held, "whoever took it last did not settle it within processingTimeout");
      } else {
        taken.push(held);
      }
    }
    this.#hand.put(taken);
  }

  /** A message that is ours for less than `marginMs` has to be renewed before its handler starts: we may have stood still. */
  #startWaiting(marginMs = this.#renewMs): void {
    const nowMs = this.#options.clock.now();
    for (let held = this.#hand.next; held !== undefined; held = this.#hand.next) {
      if (held.dueMs - nowMs < marginMs) {
        this.#mustRenew = true;
        return;
      }
      this.#hand.removeNext();
      this.#start(held, nowMs);
    }
  }

  #start(held: Held, nowMs: number): void {
    const { clock, topic } = this.#options;
    const row = this.#read(held.id);
    if (row instanceof Error) {
      return;
    }
    const expiresMs = row?.[3];
    if (row === undefined || (typeof expiresMs === "number" && expiresMs <= nowMs)) {
      this.#acknowledged.push(held);
      return;
    }
    this.#hand.start(held, clock.monotonicMs());
    this.#handler(messageOf(topic, row), this.#signal).then(
      () => this.#settled(held),
      (error: unknown) => this.#failed(held, error),
    );
  }

  /** A message that cannot be read stays ours until its time is out, and is then tried again. */
  #read(id: number): Row | Error | undefined {
    try {
      return this.#options.engine.read("message", [id]);
    } catch (error) {
      this.#options.logger.error(
        `topic ${this.#options.topic}: message ${id} could not be read: ${errorMessage(error)}`,
      );
      return error instanceof Error ? error : new Error(errorMessage(error));
    }
  }

  #settled(held: Held): void {
    if (this.#hand.finish(held)) {
      this.#acknowledged.push(held);
    }
    this.#startWaiting();
    this.#exchange();
  }

  #failed(held: Held, error: unknown): void {
    if (this.#hand.finish(held)) {
      if (error instanceof ConsumerGoneError) {
        this.#release(held);
      } else {
        this.#returnMessage(held, errorMessage(error));
      }
    }
    this.#startWaiting();
    this.#exchange();
  }

  #returnMessage(held: Held, reason: string): void {
    const { deliveriesMax, logger, topic } = this.#options;
    if (this.#closing) {
      this.#release(held);
    } else if (deliveriesMax > 0 && held.attempts >= deliveriesMax) {
      logger.warn(
        `topic ${topic}: message ${held.id} used up its ${deliveriesMax} deliveries (maxDeliveries): ${reason}`,
      );
      this.#park(held, reason);
    } else {
      this.#giveBack(held);
    }
  }

  #giveBack(held: Held): void {
    const { clock, backOffInitialMs, backOffMaxMs } = this.#options;
    const waitMs = Math.min(backOffInitialMs * 2 ** (held.attempts - 1), backOffMaxMs);
    const dueMs = clock.now() + waitMs;
    this.#settling.push({ kind: "giveBack", held, dueMs });
    this.#awaitDue(dueMs);
  }

  #release(held: Held): void {
    this.#settling.push({ kind: "release", held, dueMs: this.#options.clock.now() });
  }

  #releaseWaiting(all: boolean): void {
    for (const held of this.#hand.removeWaiting(all)) {
      this.#release(held);
    }
  }

  #park(held: Held, reason: string): void {
    const parkedMs = this.#options.clock.now();
    this.#settling.push({ kind: "park", held, parkedMs, reason: reason.slice(0, REASON_CHARS_MAX) });
    this.#acknowledged.push(held);
  }

  /** Runs as long as something is in hand, so that many messages cost one timer. */
  #awaitRenewal(): void {
    const firstDueMs = this.#renewTimer === undefined ? this.#hand.firstDueMs : Infinity;
    if (firstDueMs === Infinity) {
      return;
    }
    const { clock, processingTimeoutMs } = this.#options;
    const dueInMs = firstDueMs - processingTimeoutMs + this.#renewMs - clock.now();
    const waitMs = this.#mustRenew || dueInMs <= 0 ? this.#renewMs : Math.min(dueInMs, this.#renewMs);
    this.#renewTimer = clock.after(waitMs, () => {
      this.#renewTimer = undefined;
      this.#giveUpHandlers();
      this.#mustRenew ||= this.#hand.firstDueMs <= clock.now() + processingTimeoutMs - this.#renewMs;
      this.#exchange();
      this.#awaitRenewal();
    });
  }

  #giveUpHandlers(): void {
    const { handlerTimeoutMs, clock, logger, topic } = this.#options;
    if (handlerTimeoutMs === 0) {
      return;
    }
    for (const held of this.#hand.giveUp(clock.monotonicMs() - handlerTimeoutMs)) {
      const reason = `its handler did not end within handlerTimeout (${handlerTimeoutMs} ms)`;
      logger.warn(`topic ${topic}: message ${held.id} goes to another attempt: ${reason}`);
      this.#returnMessage(held, reason);
    }
    this.#releaseWaiting(false);
  }

  #awaitNextDue(): void {
    const { engine, subscriptionId } = this.#options;
    try {
      const dueMs = engine.read("nextDue", [subscriptionId])?.[0];
      if (typeof dueMs === "number") {
        this.#awaitDue(dueMs);
      }
    } catch (error) {
      this.#couldNotLook(error);
    }
  }

  #awaitDue(dueMs: number): void {
    if (dueMs >= this.#timerDueMs || this.#closing) {
      return;
    }
    this.#timer?.cancel();
    this.#timerDueMs = dueMs;
    const waitMs = Math.max(0, dueMs - this.#options.clock.now());
    this.#timer = this.#options.clock.after(Math.min(TIMER_MS_MAX, waitMs), () => {
      this.#timerDueMs = Infinity;
      this.#look();
    });
  }

  /** What was due may have been renewed: looking costs no write. */
  #look(): void {
    try {
      this.poll();
    } catch (error) {
      this.#couldNotLook(error);
      return;
    }
    if (!this.#mayHaveWork) {
      this.#awaitNextDue();
    }
  }

  #couldNotLook(error: unknown): void {
    const { clock, logger, topic } = this.#options;
    logger.error(`topic ${topic}: could not look for what is due next: ${errorMessage(error)}`);
    this.#awaitDue(clock.now() + RETRY_MS);
  }
}
