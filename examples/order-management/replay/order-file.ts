import { z } from "zod";
import { type Invoice, invoiceSchema } from "../model/invoice.ts";
import { type CsvRecord, parseCsv } from "./csv.ts";

/** The columns of the Online Retail data set, in its order. */
const COLUMNS = [
  "InvoiceNo",
  "StockCode",
  "Description",
  "Quantity",
  "InvoiceDate",
  "UnitPrice",
  "CustomerID",
  "Country",
] as const;

/** A file of orders as it lies on the disk. */
export interface OrderFile {
  readonly name: string;
  readonly text: string;
}

/** Thrown for a file that is not a file of orders; the message names the file and the line. */
export class OrderFileError extends Error {
  override readonly name = "OrderFileError";
}

/**
 * Reads files in the columns of the Online Retail data set as one stream of invoices, in the order in which they begin.
 * The lines of an invoice need not stand together.
 * @throws OrderFileError, CsvError
 */
export function readOrderFiles(files: readonly OrderFile[]): Invoice[] {
  const invoices = new Map<string, Invoice>();
  for (const file of files) {
    const records = parseCsv(file.text);
    const header = records.next();
    if (header.done === true || header.value.fields.join() !== COLUMNS.join()) {
      throw new OrderFileError(`${file.name}: the first line must be ${COLUMNS.join()}`);
    }
    for (const record of records) addLine(invoices, record, file.name);
  }
  return [...invoices.values()].map((invoice) => checked(invoice));
}

function addLine(invoices: Map<string, Invoice>, { line, fields }: CsvRecord, file: string): void {
  const where = `${file}:${line}`;
  if (fields.length !== COLUMNS.length) {
    throw new OrderFileError(`${where}: ${fields.length} fields instead of ${COLUMNS.length}`);
  }
  const [id = "", code = "", description = "", quantity = "", placedAt = "", price = "", customer = "", country = ""] =
    fields;
  let invoice = invoices.get(id);
  if (invoice === undefined) {
    invoice = { id, placedAt, customer: customer.replace(/\.0$/, ""), country, lines: [] };
    invoices.set(id, invoice);
  }
  invoice.lines.push({
    code,
    description: description.trim(),
    quantity: numberIn(quantity, where),
    unitPrice: numberIn(price, where),
  });
}

function numberIn(text: string, where: string): number {
  const value = Number(text);
  if (text === "" || !Number.isFinite(value))
    throw new OrderFileError(`${where}: ${JSON.stringify(text)} is no number`);
  return value;
}

function checked(invoice: Invoice): Invoice {
  const result = invoiceSchema.safeParse(invoice);
  if (!result.success) throw new OrderFileError(`invoice ${invoice.id}: ${z.prettifyError(result.error)}`);
  return result.data;
}
