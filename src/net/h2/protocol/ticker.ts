import type { ResolvedTransportOptions } from "../limits.ts";

const TICK_MS_MAX = 1_000;
const TICK_MS_MIN = 10;

/** Looks after the timers of many connections with one interval, which keeps no process alive. */
export class Ticker {
  private readonly intervalMs: number;
  private readonly onTick: (elapsedMs: number) => void;
  private timer: NodeJS.Timeout | undefined = undefined;

  /** The interval is a quarter of the shortest time that the options name, a second at most. */
  constructor(options: ResolvedTransportOptions, onTick: (elapsedMs: number) => void) {
    const shortest = Math.min(
      options.handshakeTimeoutMs,
      options.keepaliveMs || TICK_MS_MAX * 4,
      options.keepaliveTimeoutMs,
      options.stallTimeoutMs,
      options.frameTimeoutMs,
      options.slowReaderTimeoutMs,
    );
    this.intervalMs = Math.max(TICK_MS_MIN, Math.min(shortest / 4, TICK_MS_MAX));
    this.onTick = onTick;
  }

  start(): void {
    this.timer ??= setInterval(() => this.onTick(this.intervalMs), this.intervalMs).unref();
  }

  stop(): void {
    clearInterval(this.timer);
    this.timer = undefined;
  }
}
