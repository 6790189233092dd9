const BAR_CELLS = 32;
/** A terminal is redrawn this often at most. */
const REDRAW_MS_MIN = 50;
/** Without a terminal, one line for each tenth. */
const PLAIN_LINES = 10;

/** Where progress goes: `process.stdout` or a test's stand-in. */
export interface ProgressOutput {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

/** Shows how far a replay has come: a bar that is redrawn in a terminal, plain lines anywhere else. */
export class Progress {
  readonly #output: ProgressOutput;
  readonly #total: number;
  readonly #now: () => number;
  readonly #startedMs: number;
  #drawnMs = Number.NEGATIVE_INFINITY;
  #plainLines = 0;

  constructor(output: ProgressOutput, total: number, now: () => number = () => performance.now()) {
    this.#output = output;
    this.#total = total;
    this.#now = now;
    this.#startedMs = now();
  }

  update(done: number): void {
    if (this.#output.isTTY === true) this.#draw(done);
    else this.#print(done);
  }

  #draw(done: number): void {
    const nowMs = this.#now();
    const last = done === this.#total;
    if (nowMs - this.#drawnMs < REDRAW_MS_MIN && !last) return;
    this.#drawnMs = nowMs;
    const filled = Math.round((done / this.#total) * BAR_CELLS);
    const bar = "█".repeat(filled) + "░".repeat(BAR_CELLS - filled);
    this.#output.write(`\r\u001B[2K  ${bar} ${this.#figures(done)}${last ? "\n" : ""}`);
  }

  #print(done: number): void {
    const lines = Math.floor((done * PLAIN_LINES) / this.#total);
    if (lines === this.#plainLines) return;
    this.#plainLines = lines;
    this.#output.write(`  ${this.#figures(done)}\n`);
  }

  #figures(done: number): string {
    const seconds = (this.#now() - this.#startedMs) / 1000;
    const percent = Math.floor((done / this.#total) * 100);
    const rate = seconds > 0 ? `, ${Math.round(done / seconds)} orders/s` : "";
    return `${String(percent).padStart(3)} %  ${done}/${this.#total}${rate}`;
  }
}
