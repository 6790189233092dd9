import { closeSync, openSync, writeSync } from "node:fs";
import type { StockLine } from "../model/stock-line.ts";

interface Asked {
  readonly open: Readonly<Record<string, never>>;
  readonly place: { readonly lines: readonly StockLine[]; readonly value: number };
  readonly pay: Readonly<Record<string, never>>;
  readonly cancel: Readonly<Record<string, never>>;
  readonly refund: { readonly orderId: string; readonly lines: readonly StockLine[] };
  readonly return: { readonly lines: readonly StockLine[] };
  readonly "write-off": { readonly lines: readonly StockLine[] };
}

/** What the replay asks of the façade. */
export type Step = keyof Asked;

/** What was asked, as far as the audit needs it; `id` is the number of the invoice. */
export type Question = {
  readonly [Name in Step]: { readonly step: Name; readonly id: string; readonly asked: Asked[Name] };
}[Step];

/** What came of a question; status 0 for one that was given up. */
export type Outcome =
  | { readonly status: number; readonly answer: unknown; readonly attempts: number; readonly ms: number }
  | { readonly status: 0; readonly error: string; readonly attempts: number; readonly ms: number };

/**
 * The file in which the replay keeps what it was answered, a line for each. A line is with the operating system when
 * `write` returns, so that nothing is built on an answer that nobody could hold the system to.
 */
export class Journal implements Disposable {
  readonly #file: number;

  constructor(path: string) {
    this.#file = openSync(path, "a");
  }

  write(question: Question, outcome: Outcome): void {
    writeSync(this.#file, `${JSON.stringify({ at: new Date().toISOString(), ...question, ...outcome })}\n`);
  }

  [Symbol.dispose](): void {
    closeSync(this.#file);
  }
}
