import { LARGE_HEAD_COST, LATE_FRAMES, RESET_PER_HEAD_BYTE, type ResolvedTransportOptions } from "../limits.ts";
import { H2_ERROR } from "../transport.ts";
import { Budget } from "./budget.ts";
import { ConnectionError } from "./errors.ts";
import type { Output } from "./output.ts";

/** What DATA of this many bytes is worth as useful work, and the most that one frame of the peer's is worth. */
const WORK_UNIT_BYTES = 512;
const WORK_MAX = 2;
/** The same for a frame of ours: the peer may answer it with a PING and two window updates. */
const SENT_WORK = 3;
/** The same for a stream that both ends have ended. */
const STREAM_WORK = 8;

/** What the peer does for nothing, weighed against its useful work: noise, streams that end in a reset, unread answers. */
export class Offences {
  private readonly resets: Budget;
  private readonly noise: Budget;
  private readonly output: Output;
  private readonly backlogBytesMax: number;

  constructor(options: ResolvedTransportOptions, output: Output) {
    this.resets = new Budget(options.resetBurst, options.resetsPerS);
    this.noise = new Budget(options.controlBurst, options.controlsPerS);
    this.output = output;
    this.backlogBytesMax = options.outputBacklogBytesMax;
  }

  /** Counts a frame that does no work by itself. @throws ConnectionError */
  countNoise(cost = 1): void {
    if (!this.noise.spend(cost)) {
      throw new ConnectionError(H2_ERROR.enhanceYourCalm, "too many frames that do no work", "control_flood");
    }
    this.checkBacklog();
  }

  /**
   * Counts a stream that ends in a reset of the peer's, or by its fault.
   * @param headBytes of the stream's header block, where there was one that is now for nothing
   * @throws ConnectionError
   */
  countReset(headBytes: number): void {
    if (!this.resets.spend(1 + headBytes * RESET_PER_HEAD_BYTE)) {
      throw new ConnectionError(H2_ERROR.enhanceYourCalm, "too many streams were reset", "reset_flood");
    }
  }

  /** Counts a head that is too large. @throws ConnectionError */
  countLargeHead(): void {
    if (!this.resets.spend(LARGE_HEAD_COST)) {
      throw new ConnectionError(H2_ERROR.enhanceYourCalm, "too many heads that are too large", "header_flood");
    }
  }

  /** @throws ConnectionError when the peer has us answer and does not read it */
  checkBacklog(): void {
    if (this.output.backlogBytes <= this.backlogBytesMax) return;
    throw new ConnectionError(H2_ERROR.enhanceYourCalm, "too much that the peer does not read", "output_backlog");
  }

  /** DATA of the peer's was of use. */
  tookData(bytes: number): void {
    this.noise.earn(Math.min(WORK_MAX, bytes / WORK_UNIT_BYTES));
  }

  /** DATA of ours went out. What the peer takes forgives its window updates, but not if it lets us send only crumbs. */
  sentData(bytes: number, whole: boolean): void {
    this.noise.earn(whole ? SENT_WORK : Math.min(SENT_WORK, bytes / WORK_UNIT_BYTES));
  }

  /** A stream was ended by both ends. */
  streamEnded(): void {
    this.resets.earn(1);
    this.noise.earn(STREAM_WORK);
  }

  /** We have reset a stream; the peer does not know yet. */
  streamResetByUs(): void {
    this.noise.earn(LATE_FRAMES);
  }

  passed(elapsedMs: number): void {
    this.noise.passed(elapsedMs);
    this.resets.passed(elapsedMs);
  }
}
