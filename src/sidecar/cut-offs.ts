import type { Clock } from "../kit/clock.ts";
import type { Logger } from "../kit/logger.ts";
import type { CutOff, Transport } from "../net/h2/transport.ts";
import type { ConnectionMetrics } from "../telemetry/metrics/connection-metrics.ts";

/** Milliseconds between two lines about cut-offs: who is cut off may come back at once, and the log is no target. */
const LINE_INTERVAL_MS = 1_000;

/** Tells of connections that were cut off: each in the metrics, at most one a second in the log. */
export class CutOffObserver {
  readonly #logger: Logger;
  readonly #clock: Clock;
  readonly #metrics: ConnectionMetrics | undefined;
  #lastLineMs = Number.NEGATIVE_INFINITY;
  #untold = 0;

  constructor(logger: Logger, clock: Clock, metrics: ConnectionMetrics | undefined) {
    this.#logger = logger;
    this.#clock = clock;
    this.#metrics = metrics;
  }

  cutOff({ kind, reason, remoteAddress }: CutOff): void {
    this.#metrics?.cutOff(kind);
    const now = this.#clock.monotonicMs();
    if (now - this.#lastLineMs < LINE_INTERVAL_MS) {
      this.#untold += 1;
      return;
    }
    const who = remoteAddress === "" ? "a local peer" : remoteAddress;
    const more = this.#untold === 0 ? "" : `; ${this.#untold} more were cut off since the last such line`;
    this.#lastLineMs = now;
    this.#untold = 0;
    this.#logger.warn(`HTTP/2 connection with ${who} was cut off: ${reason} (${kind})${more}`);
  }
}

/** The same transport; an observer hears of every connection that it cuts off. */
export function watchedTransport(transport: Transport, observer: CutOffObserver): Transport {
  const onCutOff = (cutOff: CutOff): void => observer.cutOff(cutOff);
  return {
    createServer: (accept, options) => transport.createServer(accept, { onCutOff, ...options }),
    createClient: (authority, options) => transport.createClient(authority, { onCutOff, ...options }),
  };
}
