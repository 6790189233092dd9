import { HttpMethod } from "@dapr/dapr";
import type { Invoice } from "../model/invoice.ts";
import { FACADE_APP, STOCK_APP, STOCK_METHODS } from "../model/names.ts";
import { orderReceiptSchema } from "../model/order.ts";
import { stockSummarySchema, type StockSummary } from "../model/stock.ts";
import type { Shop } from "../shop.ts";
import { waitUntil } from "../waiting.ts";
import { audit } from "./audit.ts";
import { readBooks } from "./books.ts";
import { replay } from "./channels.ts";
import { openingStockFor } from "./opening-stock.ts";
import type { Options } from "./options.ts";
import { Progress } from "./progress.ts";
import { auditReport, isGreen, replayReport } from "./report.ts";

/** From the last answer to the last event; events that need longer count as lost. */
const EVENTS_MS_MAX = 30_000;

/** Fills the shelves, replays the invoices through the façade's sidecar, and checks the books. True for right books. */
export async function replayOrders(
  shop: Pick<Shop, "sidecars">,
  invoices: readonly Invoice[],
  { channels, seed }: Options,
  signal: AbortSignal,
): Promise<boolean> {
  const { facade, stock } = shop.sidecars;
  const opening = openingStockFor(invoices, seed);
  await stock.invoker.invoke(STOCK_APP, STOCK_METHODS.open, HttpMethod.POST, opening);

  const lines = invoices.reduce((sum, invoice) => sum + invoice.lines.length, 0);
  const codes = Object.keys(opening.items);
  console.log(
    `\nReplaying ${invoices.length} orders (${lines} lines, ${codes.length} stock codes) on ${channels} channels`,
  );
  const progress = new Progress(process.stdout, invoices.length);
  const result = await replay({
    invoices,
    channels,
    signal,
    post: async (invoice) =>
      orderReceiptSchema.parse(await facade.invoker.invoke(FACADE_APP, "orders", HttpMethod.POST, invoice)),
    onProgress: (done) => progress.update(done),
  });

  const summary = async (): Promise<StockSummary> =>
    stockSummarySchema.parse(await stock.invoker.invoke(STOCK_APP, STOCK_METHODS.summary, HttpMethod.GET));
  // The count only says when to look; what arrived is read from the stores.
  await waitUntil(async () => (await summary()).announced >= result.receipts.size, EVENTS_MS_MAX, signal);

  const books = await readBooks(shop.sidecars, invoices, codes);
  const checks = audit({ invoices, opening, replay: result, books });
  for (const line of [...replayReport(result, await summary()), "", ...auditReport(checks)]) console.log(line);
  return isGreen(checks);
}
