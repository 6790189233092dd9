import { writeFileSync } from "node:fs";
import { readBooks } from "../audit/books.ts";
import { apiKeyOf, type DataFolder } from "../data-folder.ts";
import type { Invoice } from "../model/invoice.ts";
import { performAll } from "./channels.ts";
import { Desk } from "./desk.ts";
import { FacadeClient } from "./facade-client.ts";
import { Journal } from "./journal.ts";
import { openingStockFor } from "./opening-stock.ts";
import { planFor } from "./plan.ts";
import { Progress, type ProgressOutput } from "./progress.ts";
import { type Counts, countsOf, replayReport } from "./report.ts";
import { waitForRest } from "./rest.ts";

export interface ReplayOptions {
  readonly folder: DataFolder;
  readonly facadeUrl: string;
  readonly invoices: readonly Invoice[];
  /** How many invoices are on their way at a time. */
  readonly channels: number;
  readonly seed: number;
  /** No more invoices per second are begun; undefined: as many as the channels take. */
  readonly ratePerSecond?: number | undefined;
  readonly signal: AbortSignal;
  readonly output: ProgressOutput;
  readonly onProgress?: (done: number) => void;
}

export interface ReplayResult {
  readonly counts: Counts;
  /** Invoices that the system would not take or did not answer, and why. */
  readonly failures: ReadonlyMap<string, string>;
  /** What had not come to its end when the replay stopped waiting. */
  readonly open: readonly string[];
}

/**
 * Fills the shelves, replays the invoices through the façade and waits until the system has come to rest. What it asked
 * and was answered is in the data folder then, for the audit.
 * @throws the signal's reason once it is aborted
 */
export async function replayOrders(options: ReplayOptions): Promise<ReplayResult> {
  const { folder, invoices, channels, seed, signal, output } = options;
  const print = (line: string): unknown => output.write(`${line}\n`);
  const tasks = planFor(invoices, seed);
  const opening = openingStockFor(tasks, seed);
  writeFileSync(folder.opening, JSON.stringify(opening));

  using journal = new Journal(folder.journal);
  const facade = new FacadeClient({ url: options.facadeUrl, apiKey: apiKeyOf(folder), signal });
  const desk = new Desk(facade, journal, signal);
  await desk.open(opening);

  const lines = invoices.reduce((sum, invoice) => sum + invoice.lines.length, 0);
  const codes = Object.keys(opening.items).length;
  print(`\nReplaying ${invoices.length} orders (${lines} lines, ${codes} stock codes) on ${channels} channels`);
  const progress = new Progress(output, tasks.length);
  const performed = await performAll({
    tasks,
    nameOf: ({ invoice }) => invoice.id,
    perform: async (task) => await desk.perform(task),
    channels,
    ratePerSecond: options.ratePerSecond,
    signal,
    onProgress: (done) => {
      progress.update(done);
      options.onProgress?.(done);
    },
  });
  signal.throwIfAborted();

  print("  waiting for the last confirmations, and for what was abandoned to expire");
  const restStartedMs = performance.now();
  const open = await waitForRest(folder.store, signal);
  const restMs = performance.now() - restStartedMs;
  if (open.length > 0) print(`  still under way: ${open.slice(0, 5).join(", ")} (${open.length})`);

  const counts = countsOf(readBooks(folder));
  for (const line of replayReport(counts, performed, desk.timing, restMs)) print(line);
  return { counts, failures: performed.failures, open };
}
