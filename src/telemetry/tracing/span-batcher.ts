import type { Clock, Timer } from "../../kit/clock.ts";
import { sleep } from "../../kit/clock.ts";
import { errorMessage } from "../../kit/error-message.ts";
import type { Logger } from "../../kit/logger.ts";
import {
  BATCH_DELAY_MS,
  BATCH_SPANS_MAX,
  DROP_LOG_PERIOD_MS,
  FLUSH_MS_MAX,
  QUEUED_CHARACTERS_MAX,
  QUEUED_SPANS_MAX,
  RETRY_DELAY_MS,
  RETRY_DELAY_MS_MAX,
  RETRY_MS_MAX,
} from "./limits.ts";
import type { RecordedSpan } from "./span.ts";

/** Brings spans to one back end. */
export interface SpanExporter {
  /** Where they go, for log lines and the metric. */
  readonly name: string;
  /** @throws ExportError, or any other error for what is not worth another attempt */
  export(spans: readonly RecordedSpan[]): Promise<void>;
  close(): Promise<void>;
}

/** The back end did not take a batch and may take it later. */
export class ExportError extends Error {
  override readonly name = "ExportError";
  /** Milliseconds that it asks to wait; undefined: as long as we see fit. */
  readonly delayMs: number | undefined;

  constructor(message: string, delayMs?: number, cause?: unknown) {
    super(message, { cause });
    this.delayMs = delayMs;
  }
}

/** Counts spans that were not exported. */
export interface DropObserver {
  dropped(exporter: string, count: number): void;
}

export interface BatcherPorts {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly observer?: DropObserver | undefined;
}

/** Collects finished spans for one exporter and hands them over in batches, one at a time. It never holds a request up. */
export class SpanBatcher {
  readonly #exporter: SpanExporter;
  readonly #ports: BatcherPorts;
  readonly #closing = new AbortController();
  #queue: RecordedSpan[] = [];
  /** Of the batch that is on its way; they count against the limit. */
  #exporting = 0;
  /** Of the queue and that batch. */
  #characters = 0;
  #timer: Timer | undefined;
  #running: Promise<void> | undefined;
  #droppedSinceLog = 0;
  #loggedMs: number | undefined;

  constructor(exporter: SpanExporter, ports: BatcherPorts) {
    this.#exporter = exporter;
    this.#ports = ports;
  }

  add(span: RecordedSpan): void {
    const queue = this.#queue;
    if (this.#closing.signal.aborted) {
      this.#drop(1, "they ended after it was closed");
      return;
    }
    if (queue.length + this.#exporting >= QUEUED_SPANS_MAX) {
      this.#drop(1, `its queue of ${QUEUED_SPANS_MAX} spans is full`);
      return;
    }
    if (this.#characters + span.characters > QUEUED_CHARACTERS_MAX) {
      this.#drop(1, `its queue of ${QUEUED_CHARACTERS_MAX} characters is full`);
      return;
    }
    this.#characters += span.characters;
    queue.push(span);
    if (queue.length >= BATCH_SPANS_MAX) {
      this.#begin();
    } else if (this.#timer === undefined && this.#running === undefined) {
      this.#timer = this.#ports.clock.after(BATCH_DELAY_MS, () => this.#begin());
    }
  }

  /** Exports what is left, as far as the back end takes it in time. */
  async close(): Promise<void> {
    const limit = Promise.withResolvers<void>();
    const timer = this.#ports.clock.after(FLUSH_MS_MAX, () => limit.resolve());
    this.#closing.abort(new Error("the exporter is closing"));
    this.#begin();
    await Promise.race([this.#running, limit.promise]);
    timer.cancel();
    const left = this.#queue.length + this.#exporting;
    this.#queue = [];
    this.#exporting = 0;
    if (left > 0) {
      this.#drop(left, `it did not take them within ${FLUSH_MS_MAX} ms of the end`);
    }
    await this.#exporter.close();
  }

  #begin(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    if (this.#running === undefined && this.#queue.length > 0) {
      this.#running = this.#run().finally(() => {
        this.#running = undefined;
        if (this.#queue.length > 0 && !this.#closing.signal.aborted) {
          this.#timer ??= this.#ports.clock.after(BATCH_DELAY_MS, () => this.#begin());
        }
      });
    }
  }

  /** The first batch whatever its size, then whole ones; at the end all. */
  async #run(): Promise<void> {
    do {
      const batch = this.#queue.splice(0, BATCH_SPANS_MAX);
      this.#exporting = batch.length;
      await this.#exportOrDrop(batch);
      this.#exporting = 0;
      this.#characters -= batch.reduce((sum, { characters }) => sum + characters, 0);
    } while (this.#queue.length >= (this.#closing.signal.aborted ? 1 : BATCH_SPANS_MAX));
  }

  async #exportOrDrop(batch: readonly RecordedSpan[]): Promise<void> {
    const { clock } = this.#ports;
    const startedMs = clock.monotonicMs();
    for (let delayMs = RETRY_DELAY_MS; ; delayMs = Math.min(delayMs * 2, RETRY_DELAY_MS_MAX)) {
      try {
        await this.#exporter.export(batch);
        return;
      } catch (error) {
        const pauseMs = error instanceof ExportError ? (error.delayMs ?? delayMs) : undefined;
        const elapsedMs = clock.monotonicMs() - startedMs;
        if (pauseMs === undefined || elapsedMs + pauseMs > RETRY_MS_MAX || !(await this.#paused(pauseMs))) {
          // None is left of a batch that was given up at the end, and counted there.
          this.#drop(this.#exporting, errorMessage(error));
          return;
        }
      }
    }
  }

  /** False: it is closing, and nothing is waited for any more. */
  async #paused(ms: number): Promise<boolean> {
    try {
      await sleep(this.#ports.clock, ms, this.#closing.signal);
      return true;
    } catch {
      return false;
    }
  }

  #drop(count: number, reason: string): void {
    if (count === 0) {
      return;
    }
    const { clock, logger, observer } = this.#ports;
    observer?.dropped(this.#exporter.name, count);
    this.#droppedSinceLog += count;
    const nowMs = clock.monotonicMs();
    if (this.#loggedMs === undefined || nowMs - this.#loggedMs >= DROP_LOG_PERIOD_MS) {
      logger.warn(`${this.#droppedSinceLog} spans were not exported to ${this.#exporter.name}: ${reason}`);
      this.#droppedSinceLog = 0;
      this.#loggedMs = nowMs;
    }
  }
}
