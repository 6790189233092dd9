// The reference application: two services on the official Dapr SDK, their sidecars in this process, and a driver that
// replays orders through them and checks the books. See README.md.
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { CsvError } from "./replay/csv.ts";
import { type OrderFile, OrderFileError, readOrderFiles } from "./replay/order-file.ts";
import { type Options, parseOptions, USAGE, UsageError } from "./replay/options.ts";
import { replayOrders } from "./replay/run.ts";
import { startShop, type Shop } from "./shop.ts";
import { orAborted } from "./waiting.ts";

const SAMPLE = join(import.meta.dirname, "sample-orders.csv");

/** Exit codes: the verdict's two, what cannot run at all, and what a shell expects when Ctrl-C came before the verdict. */
const EXIT = { green: 0, red: 1, unusable: 2, interrupted: 130 } as const;

const signalled = new AbortController();
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.once(signal, () => signalled.abort());

/** Runs all of the example; with `--once` to its end, otherwise until a signal. */
async function run(options: Options, signal: AbortSignal): Promise<number> {
  const invoices = readOrderFiles(await readFiles(options));
  const shop = await startShop(signal);
  try {
    for (const line of shop.addresses) console.log(line);
    const replayed = replayOrders(shop, invoices, options, signal);
    const green = await orAborted(Promise.race([replayed, shop.ended]), signal);
    if (!options.once) {
      console.log("\nStill up, until Ctrl-C. Try:");
      for (const line of suggestions(shop, invoices[0]?.id ?? "")) console.log(`  ${line}`);
      await Promise.race([shop.ended, once(signal, "abort")]);
    }
    return green ? EXIT.green : EXIT.red;
  } finally {
    await shop.stop();
  }
}

async function readFiles({ orders }: Options): Promise<OrderFile[]> {
  const paths = orders.length === 0 ? [SAMPLE] : orders;
  return await Promise.all(paths.map(async (path) => ({ name: basename(path), text: await readFile(path, "utf8") })));
}

function suggestions({ facadeUrl }: Shop, orderId: string): string[] {
  return [`curl ${facadeUrl}/summary`, `curl ${facadeUrl}/orders/${orderId}`, `curl ${facadeUrl}/stock/10002`];
}

function explain(error: unknown): void {
  if (error instanceof UsageError) console.error(`${error.message}\n\n${USAGE}`);
  else if (error instanceof OrderFileError || error instanceof CsvError) console.error(error.message);
  else console.error(error);
}

async function main(): Promise<number> {
  try {
    return await run(parseOptions(process.argv.slice(2)), signalled.signal);
  } catch (error) {
    if (signalled.signal.aborted) return EXIT.interrupted;
    explain(error);
    return EXIT.unusable;
  }
}

// The SDK's idle connections would hold the process for a while.
process.exit(await main());
