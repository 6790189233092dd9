import type { Clock, Timer } from "../../kit/clock.ts";
import type { Logger } from "../../kit/logger.ts";
import { silentLogger } from "../../kit/silent-logger.ts";
import type { VirtualClock } from "../../kit/virtual-clock.fixture.ts";
import type { Engine } from "../../storage/engine.ts";
import { openLocalEngine } from "../../storage/local-engine.ts";
import { ConsumerGoneError } from "../spi/pubsub.ts";
import { Consumer, type ConsumerOptions } from "./pubsub-consumer.ts";
import { PUBSUB_SCHEMA, PUBSUB_STATEMENTS, type PubSubStatement } from "./pubsub-schema.ts";

const TURNS = 12;

/** A file in memory that several processes share, with the topic `t` and one subscription to it. */
export class SharedFile {
  readonly engine: Engine<PubSubStatement> = openLocalEngine({
    file: ":memory:",
    journal: "memory",
    busyTimeoutMs: 0,
    pragmas: [],
    schema: PUBSUB_SCHEMA,
    statements: {
      ...PUBSUB_STATEMENTS,
      testRows: "SELECT message_id, due_ms, attempts FROM pubsub_deliveries ORDER BY message_id",
      testReasons: "SELECT reason FROM pubsub_dead_letters ORDER BY id",
      testStored: "SELECT count(*) FROM pubsub_messages",
    },
  }) as Engine<PubSubStatement>;

  async prepare(): Promise<void> {
    await this.engine.write([
      { statement: "addTopic", params: ["t"] },
      { statement: "addSubscription", params: ["t", "app"] },
    ]);
  }

  async publish(text: string, nowMs: number): Promise<void> {
    const params = ["t", Buffer.from(text), null, null, nowMs, null, null, 1_000_000];
    await this.engine.write([{ statement: "publish", params }]);
  }

  /** Every message in somebody's hands or waiting for another attempt. */
  deliveries(): { id: number; dueMs: number; attempts: number }[] {
    const rows = this.engine.readAll("testRows" as PubSubStatement, []);
    return rows.map(([id, dueMs, attempts]) => ({ id: Number(id), dueMs: Number(dueMs), attempts: Number(attempts) }));
  }

  /** Why messages are dead letters. */
  reasons(): string[] {
    return this.engine.readAll("testReasons" as PubSubStatement, []).map(([reason]) => String(reason));
  }

  get stored(): number {
    return Number(this.engine.read("testStored" as PubSubStatement, [])?.[0]);
  }
}

/** A handler at work in a process. */
interface Work {
  readonly text: string;
  readonly done: () => void;
  readonly fail: () => void;
  /** Its consumer is gone. */
  readonly leave: () => void;
}

/** A consumer as if it had a process of its own, which can stand still, lose its disk, and die. */
export class SimulatedProcess {
  readonly consumer: Consumer;
  readonly started: string[] = [];
  readonly running = new Map<string, Work>();
  readonly #clock: VirtualClock;
  #paused = false;
  #dead = false;
  #failing = false;
  #held: (() => void)[] = [];

  constructor(
    file: SharedFile,
    clock: VirtualClock,
    options: Partial<ConsumerOptions> = {},
    onStart: (text: string) => void = () => undefined,
    logger: Logger = silentLogger,
  ) {
    this.#clock = clock;
    const row = file.engine.read("findSubscription", ["t", "app"]);
    this.consumer = new Consumer(
      {
        engine: this.#engine(file.engine),
        clock: this.#ownClock(),
        logger,
        topic: "t",
        topicId: Number(row?.[0]),
        subscriptionId: Number(row?.[1]),
        deadLetterTopic: "",
        handlersMax: 2,
        processingTimeoutMs: 3_000,
        handlerTimeoutMs: 0,
        backOffInitialMs: 100,
        backOffMaxMs: 1_000,
        deliveriesMax: 0,
        published: () => undefined,
        ...options,
      },
      (message) => {
        const { promise, resolve, reject } = Promise.withResolvers<void>();
        const text = Buffer.from(message.data).toString();
        const before = this.running.get(text);
        const end = (settle: () => void) => () => {
          before?.done();
          this.running.delete(text);
          settle();
        };
        this.started.push(text);
        onStart(text);
        const fail = end(() => reject(new Error(`no ${text}`)));
        const leave = end(() => reject(new ConsumerGoneError()));
        this.running.set(text, { text, done: end(resolve), fail, leave });
        return promise;
      },
    );
  }

  get paused(): boolean {
    return this.#paused;
  }

  get failing(): boolean {
    return this.#failing;
  }

  /** SIGSTOP. */
  pause(): void {
    this.#paused = true;
  }

  /** SIGCONT: all that would have happened meanwhile happens now. */
  resume(): void {
    this.#paused = false;
    for (const action of this.#held.splice(0)) {
      action();
    }
  }

  /** SIGKILL. */
  kill(): void {
    this.#dead = true;
    this.#held = [];
  }

  /** From now on the database takes nothing, or everything again. */
  setFailing(failing: boolean): void {
    this.#failing = failing;
  }

  /** What a poll does. */
  poll(): void {
    if (!this.#paused && !this.#dead) {
      this.consumer.poll();
    }
  }

  #whenRunning(action: () => void): void {
    if (this.#paused) {
      this.#held.push(() => this.#whenRunning(action));
    } else if (!this.#dead) {
      action();
    }
  }

  #engine(engine: Engine<PubSubStatement>): Engine<PubSubStatement> {
    return {
      stats: engine.stats,
      read: (statement, params) => engine.read(statement, params),
      readAll: (statement, params) => engine.readAll(statement, params),
      close: async () => undefined,
      write: (steps) => {
        const { promise, resolve, reject } = Promise.withResolvers<Awaited<ReturnType<typeof engine.write>>>();
        const written = this.#failing ? Promise.reject(new Error("disk I/O error")) : engine.write(steps);
        written.then(
          (result) => this.#whenRunning(() => resolve(result)),
          (error: unknown) => this.#whenRunning(() => reject(error)),
        );
        return promise;
      },
    };
  }

  #ownClock(): Clock {
    const clock = this.#clock;
    const gated = (start: (action: () => void) => Timer, action: () => void): Timer => {
      let cancelled = false;
      const timer = start(() => this.#whenRunning(() => void (cancelled || action())));
      return {
        cancel: () => {
          cancelled = true;
          timer.cancel();
        },
      };
    };
    return {
      now: () => clock.now(),
      monotonicMs: () => clock.monotonicMs(),
      after: (delayMs, action) => gated((run) => clock.after(delayMs, run), action),
      every: (periodMs, action) => gated((run) => clock.every(periodMs, run), action),
    };
  }
}

/** Turns of the event loop until writes and what follows from them are through. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < TURNS; turn += 1) {
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Lets time pass in small steps, with what happens on the way, and with the polls of the processes. */
export async function pass(clock: VirtualClock, ms: number, processes: readonly SimulatedProcess[]): Promise<void> {
  const stepMs = 100;
  for (let passedMs = 0; passedMs < ms; passedMs += stepMs) {
    clock.advance(Math.min(stepMs, ms - passedMs));
    await settled();
    for (const process of processes) {
      process.poll();
    }
    await settled();
  }
}
