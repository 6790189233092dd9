import type { Clock, Timer } from "../../kit/clock.ts";
import { ComponentError } from "../spi/errors.ts";
import type { MessageHandler, PubSubMessage } from "../spi/pubsub.ts";

/** Messages that wait for a handler, per subscriber. */
export const QUEUED_MESSAGES_MAX = 10_000;
/** Bytes of their data, per subscriber; one message is always taken. */
export const QUEUED_BYTES_MAX = 64 * 1024 * 1024;
/** How long a publish waits for room in a full queue, in milliseconds, before it fails. */
export const PUBLISH_WAIT_MS_MAX = 10_000;
/** Publishes that may wait so, per subscriber. */
export const WAITING_PUBLISHES_MAX = 10_000;
/** Handlers at once, per subscriber. */
export const HANDLERS_MAX = 64;

interface Waiting {
  readonly message: PubSubMessage;
  readonly timer: Timer;
  readonly taken: () => void;
}

/**
 * One subscriber's messages. Handlers start in the order of publishing, up to a number side by side; a full queue holds
 * publishers back. A message whose handler fails is gone: `failed` is told, there is no redelivery.
 */
export class MessageQueue {
  readonly #handler: MessageHandler;
  readonly #handlersMax: number;
  readonly #clock: Clock;
  readonly #failed: (error: unknown) => void;
  /** Never aborted: closing lets handlers finish. */
  readonly #signal = new AbortController().signal;
  readonly #queue: PubSubMessage[] = [];
  /** First message still in the queue; the array is trimmed now and then instead of shifted each time. */
  #head = 0;
  #queuedBytes = 0;
  #running = 0;
  #closed = false;
  readonly #waiting = new Set<Waiting>();
  #drained: (() => void) | undefined;

  constructor(handler: MessageHandler, handlersMax: number, clock: Clock, failed: (error: unknown) => void) {
    this.#handler = handler;
    this.#handlersMax = handlersMax;
    this.#clock = clock;
    this.#failed = failed;
  }

  /** Messages queued or being handled: what a balancer compares. */
  get load(): number {
    return this.#queue.length - this.#head + this.#running;
  }

  /**
   * Takes a message. Undefined: taken at once; otherwise resolves when there was room.
   * @throws ComponentError `unavailable` when no room came in time
   */
  push(message: PubSubMessage): Promise<void> | undefined {
    if (this.#closed) {
      return undefined;
    }
    if (this.#running < this.#handlersMax && this.#queue.length === this.#head) {
      this.#run(message);
      return undefined;
    }
    if (this.#waiting.size === 0 && this.#hasRoom(message)) {
      this.#enqueue(message);
      return undefined;
    }
    return this.#wait(message);
  }

  /** Takes no more, lets what is queued be handled, then resolves. */
  close(): Promise<void> {
    this.#closed = true;
    if (this.load === 0 && this.#waiting.size === 0) {
      return Promise.resolve();
    }
    return new Promise((resolve) => {
      const before = this.#drained;
      this.#drained = () => {
        before?.();
        resolve();
      };
    });
  }

  #run(message: PubSubMessage): void {
    this.#running += 1;
    this.#handler(message, this.#signal).then(this.#settled, this.#rejected);
  }

  readonly #settled = (): void => {
    this.#running -= 1;
    this.#pump();
  };

  readonly #rejected = (error: unknown): void => {
    this.#failed(error);
    this.#settled();
  };

  #pump(): void {
    while (this.#running < this.#handlersMax) {
      const message = this.#shift();
      if (message === undefined) {
        break;
      }
      this.#run(message);
    }
    if (this.#closed && this.load === 0 && this.#waiting.size === 0) {
      this.#drained?.();
    }
  }

  #shift(): PubSubMessage | undefined {
    const message = this.#queue[this.#head];
    if (message === undefined) {
      return undefined;
    }
    this.#head += 1;
    this.#queuedBytes -= message.data.byteLength;
    if (this.#head === this.#queue.length) {
      this.#queue.length = 0;
      this.#head = 0;
    } else if (this.#head >= 1024 && this.#head * 2 >= this.#queue.length) {
      this.#queue.splice(0, this.#head);
      this.#head = 0;
    }
    this.#admitWaiting();
    return message;
  }

  #admitWaiting(): void {
    for (const waiting of this.#waiting) {
      if (!this.#hasRoom(waiting.message)) {
        return;
      }
      this.#waiting.delete(waiting);
      waiting.timer.cancel();
      this.#enqueue(waiting.message);
      waiting.taken();
    }
  }

  #hasRoom(message: PubSubMessage): boolean {
    const queued = this.#queue.length - this.#head;
    return (
      queued === 0 || (queued < QUEUED_MESSAGES_MAX && this.#queuedBytes + message.data.byteLength <= QUEUED_BYTES_MAX)
    );
  }

  #enqueue(message: PubSubMessage): void {
    this.#queue.push(message);
    this.#queuedBytes += message.data.byteLength;
  }

  #wait(message: PubSubMessage): Promise<void> {
    if (this.#waiting.size >= WAITING_PUBLISHES_MAX) {
      return Promise.reject(queueFull(message.topic));
    }
    return new Promise((resolve, reject) => {
      const timer = this.#clock.after(PUBLISH_WAIT_MS_MAX, () => {
        this.#waiting.delete(waiting);
        reject(queueFull(message.topic));
      });
      const waiting: Waiting = { message, timer, taken: resolve };
      this.#waiting.add(waiting);
    });
  }
}

function queueFull(topic: string): ComponentError {
  return new ComponentError(
    "unavailable",
    `a subscriber of topic ${topic} has ${QUEUED_MESSAGES_MAX} messages or ${QUEUED_BYTES_MAX} bytes waiting and made no room within ${PUBLISH_WAIT_MS_MAX} ms; ` +
      "publish more slowly, speed the subscriber up or use a broker that stores messages",
  );
}
