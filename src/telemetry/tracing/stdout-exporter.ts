import type { Clock } from "../../kit/clock.ts";
import type { Logger } from "../../kit/logger.ts";
import { epochOffsetMs } from "./epoch.ts";
import type { RecordedSpan } from "./span.ts";
import type { SpanExporter } from "./span-batcher.ts";

const NO_PARENT = "0000000000000000";

/** Spans as lines of the log, in Dapr's words, for who wants to see them without a back end. */
export class StdoutExporter implements SpanExporter {
  readonly name = "stdout";
  readonly #logger: Logger;
  readonly #clock: Clock;

  constructor(logger: Logger, clock: Clock) {
    this.#logger = logger.scope("dapr.runtime.trace");
    this.#clock = clock;
  }

  async export(spans: readonly RecordedSpan[]): Promise<void> {
    const offsetMs = epochOffsetMs(this.#clock);
    const time = (ms: number): string => new Date(ms + offsetMs).toISOString();
    for (const { name, traceId, parentId, spanId, startMs, endMs } of spans) {
      this.#logger.info(
        `[${name}] Trace: ${traceId} Span: ${parentId === "" ? NO_PARENT : parentId}/${spanId} Time: [${time(startMs)} ->  ${time(endMs)}] Annotations: []`,
      );
    }
  }

  async close(): Promise<void> {}
}
