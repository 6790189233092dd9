import type { Clock, Timer } from "../../kit/clock.ts";
import { errorMessage } from "../../kit/error-message.ts";
import type { Logger } from "../../kit/logger.ts";
import type { Engine, Row, Step, WriteResult } from "../../storage/engine.ts";
import type { MessageHandler } from "../spi/pubsub.ts";
import { messageOf } from "./pubsub-message.ts";
import type { PubSubStatement } from "./pubsub-schema.ts";

/** Messages in one sidecar's hands per handler: one at work and one that waits for it. */
const HELD_PER_HANDLER = 2;
/** How long to wait after the database refused, in milliseconds. */
const RETRY_MS = 1_000;
/** Characters of an error that are kept beside a dead letter. */
const REASON_CHARS_MAX = 4_096;

/** What a consumer is made for. Times are in milliseconds. */
export interface ConsumerOptions {
  readonly engine: Engine<PubSubStatement>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly topic: string;
  readonly topicId: number;
  readonly subscriptionId: number;
  readonly handlersMax: number;
  readonly processingTimeoutMs: number;
  readonly backOffInitialMs: number;
  readonly backOffMaxMs: number;
  /** 0: no limit. */
  readonly deliveriesMax: number;
  /** Empty: the table of dead letters. */
  readonly deadLetterTopic: string;
  /** Told that a dead letter was published. */
  readonly published: (topic: string) => void;
}

/** A message in hand: it is ours until `dueMs`. */
interface Held {
  readonly id: number;
  readonly dueMs: number;
  readonly attempts: number;
}

/**
 * One sidecar's share of a subscription: claims messages, starts their handlers in the order of publishing, and settles
 * them. Everything it has to tell the database goes in one write at a time, together with the next claim; what comes up
 * meanwhile goes in the next.
 */
export class Consumer {
  readonly #options: ConsumerOptions;
  readonly #handler: MessageHandler;
  /** Never aborted: closing lets handlers finish. */
  readonly #signal = new AbortController().signal;
  #waiting: Held[] = [];
  #running = 0;
  #acknowledged: Held[] = [];
  /** Steps of everything that is settled in another way. */
  #settling: Step<PubSubStatement>[] = [];
  #deadLetters = false;
  #mayHaveWork = true;
  #exchanging = false;
  #timer: Timer | undefined;
  #timerDueMs = Infinity;
  #closing = false;
  #closed: PromiseWithResolvers<void> | undefined;

  constructor(options: ConsumerOptions, handler: MessageHandler) {
    this.#options = options;
    this.#handler = handler;
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
      for (const held of this.#waiting.splice(0)) {
        this.#release(held);
      }
      this.#exchange();
    }
    return this.#closed.promise;
  }

  #exchange(): void {
    if (this.#exchanging) {
      return;
    }
    const acknowledged = this.#acknowledged;
    const settling = this.#settling;
    const { handlersMax } = this.#options;
    const room = handlersMax * HELD_PER_HANDLER - this.#running - this.#waiting.length;
    const claims = this.#mayHaveWork && room > 0 && !this.#closing;
    if (!claims && acknowledged.length === 0 && settling.length === 0) {
      this.#finishClose();
      return;
    }
    this.#exchanging = true;
    this.#acknowledged = [];
    this.#settling = [];
    const deadLetters = this.#deadLetters;
    this.#deadLetters = false;
    const steps = this.#settleSteps(acknowledged, settling);
    const dueMs = claims ? this.#addClaim(steps, room) : 0;
    this.#options.engine.write(steps).then(
      (result) => {
        if (deadLetters) {
          this.#options.published(this.#options.deadLetterTopic);
        }
        this.#exchanged(result, dueMs, room);
      },
      (error: unknown) => this.#refused(error, acknowledged, settling),
    );
  }

  #settleSteps(acknowledged: readonly Held[], settling: readonly Step<PubSubStatement>[]): Step<PubSubStatement>[] {
    const steps = [...settling];
    if (acknowledged.length > 0) {
      const list = JSON.stringify(acknowledged.map(({ dueMs, id }) => [dueMs, id]));
      steps.push(
        { statement: "acknowledge", params: [this.#options.subscriptionId, list] },
        { statement: "removeTaken", params: [this.#options.topicId, list] },
      );
    }
    return steps;
  }

  /** @returns until when what is claimed is ours */
  #addClaim(steps: Step<PubSubStatement>[], room: number): number {
    const { subscriptionId, topicId, clock, processingTimeoutMs } = this.#options;
    const nowMs = clock.now();
    const dueMs = nowMs + processingTimeoutMs;
    this.#mayHaveWork = false;
    steps.push(
      { statement: "claimAgain", params: [subscriptionId, nowMs, dueMs, room] },
      { statement: "claimNew", params: [subscriptionId, topicId, nowMs, dueMs, room] },
      { statement: "moveCursor", params: [subscriptionId, topicId] },
    );
    return dueMs;
  }

  #exchanged(result: WriteResult, dueMs: number, room: number): void {
    this.#exchanging = false;
    if (dueMs > 0) {
      const rows = [...(result.rows.at(-3) ?? []), ...(result.rows.at(-2) ?? [])];
      this.#mayHaveWork ||= rows.length >= room;
      this.#take(rows, dueMs);
      if (!this.#mayHaveWork) {
        this.#awaitNextDue();
      }
    }
    this.#exchange();
  }

  #refused(error: unknown, acknowledged: readonly Held[], settling: readonly Step<PubSubStatement>[]): void {
    this.#options.logger.error(
      `topic ${this.#options.topic}: the database did not take a step of delivery: ${errorMessage(error)}`,
    );
    this.#acknowledged.unshift(...acknowledged);
    this.#settling.unshift(...settling);
    this.#mayHaveWork = true;
    if (this.#closing) {
      this.#abandon();
      return;
    }
    this.#options.clock.after(RETRY_MS, () => {
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
    if (this.#closing && this.#running === 0 && !this.#exchanging) {
      this.#timer?.cancel();
      this.#closed?.resolve();
    }
  }

  #take(rows: readonly Row[], dueMs: number): void {
    const { deliveriesMax } = this.#options;
    for (const [id, attempts] of rows) {
      const held: Held = { id: Number(id), dueMs, attempts: Number(attempts) };
      if (held.attempts === 0) {
        continue;
      }
      if (this.#closing) {
        this.#release(held);
      } else if (deliveriesMax > 0 && held.attempts > deliveriesMax) {
        this.#park(held, "it was not settled within processingTimeout");
      } else {
        this.#waiting.push(held);
      }
    }
    this.#waiting.sort((one, two) => one.id - two.id);
    this.#startWaiting();
  }

  #startWaiting(): void {
    let started = 0;
    while (this.#running < this.#options.handlersMax && started < this.#waiting.length) {
      const held = this.#waiting[started];
      started += 1;
      if (held !== undefined) {
        this.#start(held);
      }
    }
    this.#waiting.splice(0, started);
  }

  #start(held: Held): void {
    const { clock, topic } = this.#options;
    const nowMs = clock.now();
    if (nowMs >= held.dueMs) {
      return;
    }
    const row = this.#read(held.id);
    if (row instanceof Error) {
      return;
    }
    const expiresMs = row?.[3];
    if (row === undefined || (typeof expiresMs === "number" && expiresMs <= nowMs)) {
      this.#acknowledged.push(held);
      return;
    }
    this.#running += 1;
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
    this.#running -= 1;
    this.#acknowledged.push(held);
    this.#startWaiting();
    this.#exchange();
  }

  #failed(held: Held, error: unknown): void {
    const { deliveriesMax, logger, topic } = this.#options;
    this.#running -= 1;
    if (this.#closing) {
      this.#release(held);
    } else if (deliveriesMax > 0 && held.attempts >= deliveriesMax) {
      logger.warn(
        `topic ${topic}: message ${held.id} used up its ${deliveriesMax} deliveries (maxDeliveries): ${errorMessage(error)}`,
      );
      this.#park(held, errorMessage(error));
    } else {
      this.#giveBack(held);
    }
    this.#startWaiting();
    this.#exchange();
  }

  #giveBack({ id, dueMs, attempts }: Held): void {
    const { subscriptionId, clock, backOffInitialMs, backOffMaxMs } = this.#options;
    const waitMs = Math.min(backOffInitialMs * 2 ** (attempts - 1), backOffMaxMs);
    this.#settling.push({ statement: "giveBack", params: [subscriptionId, dueMs, id, clock.now() + waitMs] });
    this.#awaitDue(clock.now() + waitMs);
  }

  #release({ id, dueMs }: Held): void {
    const { subscriptionId, clock } = this.#options;
    this.#settling.push({ statement: "release", params: [subscriptionId, dueMs, id, clock.now()] });
  }

  #park(held: Held, reason: string): void {
    const { subscriptionId, clock, deadLetterTopic } = this.#options;
    const key = [subscriptionId, held.dueMs, held.id] as const;
    this.#settling.push(
      { statement: "deadLetter", params: [...key, deadLetterTopic, clock.now()] },
      { statement: "park", params: [...key, reason.slice(0, REASON_CHARS_MAX), clock.now()] },
    );
    this.#acknowledged.push(held);
    this.#deadLetters = true;
  }

  #awaitNextDue(): void {
    const { engine, subscriptionId, clock, logger, topic } = this.#options;
    try {
      const dueMs = engine.read("nextDue", [subscriptionId])?.[0];
      if (typeof dueMs === "number") {
        this.#awaitDue(dueMs);
      }
    } catch (error) {
      logger.error(`topic ${topic}: could not look for what is due next: ${errorMessage(error)}`);
      this.#awaitDue(clock.now() + RETRY_MS);
    }
  }

  #awaitDue(dueMs: number): void {
    if (dueMs >= this.#timerDueMs || this.#closing) {
      return;
    }
    this.#timer?.cancel();
    this.#timerDueMs = dueMs;
    this.#timer = this.#options.clock.after(Math.max(0, dueMs - this.#options.clock.now()), () => {
      this.#timerDueMs = Infinity;
      this.wake();
    });
  }
}
