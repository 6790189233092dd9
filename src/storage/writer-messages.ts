import type { DatabaseOptions } from "./engine.ts";
import type { Outcome } from "./group-writer.ts";

/** What the writer's thread is started with: the statements by position. */
export interface WriterData {
  readonly options: DatabaseOptions;
  readonly sources: readonly string[];
}

/** A packet of writes, or the last message of all. */
export type ToWriter = { readonly packet: ArrayBuffer; readonly byteLength: number } | "close";

/** First whether the database is open, then one message per group with the outcomes in the order of the writes. */
export type ToEngine =
  | "open"
  | { readonly openFailed: string; readonly code: number }
  | { readonly outcomes: readonly Outcome[] };
