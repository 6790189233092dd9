import type { Child, ChildEnd } from "./types.ts";

/** Lines of an app's standard error that are kept for the message about its end. */
const LAST_LINES_MAX = 10;

/** Shells and npm end with 128 and the signal's number when what they ran was ended by a signal. */
const SIGNAL_CODES_FROM = 128;
const SIGNAL_CODES_TO = 192;

/** An app that has been started, and what is known of it. */
export class RunningApp {
  readonly child: Child;
  readonly startedMs: number;
  /** When it listened, or had lived long enough. */
  upMs: number | undefined;
  /** That it does not listen. */
  isTold = false;
  readonly #lastLines: string[] = [];

  /** @param start starts it, its lines going where they are said to go */
  constructor(startedMs: number, start: (onLine: (stream: "stdout" | "stderr", line: string) => void) => Child) {
    this.startedMs = startedMs;
    this.child = start((stream, line) => this.#keep(stream, line));
  }

  /** The last lines of its standard error, the oldest first. */
  get lastLines(): readonly string[] {
    return this.#lastLines;
  }

  #keep(stream: "stdout" | "stderr", line: string): void {
    if (stream === "stderr" && line.trim() !== "") {
      this.#lastLines.push(line);
      this.#lastLines.splice(0, this.#lastLines.length - LAST_LINES_MAX);
    }
  }
}

/** Whether a signal ended it, or what it ran: that says nothing about its source. */
export function endedBySignal({ code, signal }: ChildEnd): boolean {
  return signal !== null || (code !== null && code > SIGNAL_CODES_FROM && code < SIGNAL_CODES_TO);
}
