import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { goodsOf, invoiceKind } from "../model/invoice.ts";
import { OrderFileError, readOrderFiles } from "./order-file.ts";

const HEADER = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country";

function read(...lines: string[]) {
  return readOrderFiles([{ name: "a.csv", text: [HEADER, ...lines, ""].join("\n") }]);
}

it("groups lines into invoices, over gaps and files", () => {
  const first = { name: "a.csv", text: `${HEADER}\n1,10001,MUG,2,t,1.5,17850.0,Ireland\n2,10001,,1,t,0.0,,Ireland\n` };
  const second = { name: "b.csv", text: `${HEADER}\r\n1,10002,"CUP, BLUE ",3,t,2,17850.0,Ireland\r\n` };
  expect(readOrderFiles([first, second])).toEqual([
    {
      id: "1",
      placedAt: "t",
      customer: "17850",
      country: "Ireland",
      lines: [
        { code: "10001", description: "MUG", quantity: 2, unitPrice: 1.5 },
        { code: "10002", description: "CUP, BLUE", quantity: 3, unitPrice: 2 },
      ],
    },
    {
      id: "2",
      placedAt: "t",
      customer: "",
      country: "Ireland",
      lines: [{ code: "10001", description: "", quantity: 1, unitPrice: 0 }],
    },
  ]);
});

it.each([
  ["another header", () => readOrderFiles([{ name: "a.csv", text: "a,b\n1,2\n" }]), "a.csv: the first line must be"],
  ["an empty file", () => readOrderFiles([{ name: "a.csv", text: "" }]), "a.csv: the first line must be"],
  ["a line with a field too few", () => read("1,10001,MUG,2,t,1.5,1"), "a.csv:2: 7 fields instead of 8"],
  ["a quantity that is none", () => read("1,10001,MUG,two,t,1.5,1,UK"), 'a.csv:2: "two" is no number'],
  ["an empty price", () => read("1,10001,MUG,2,t,,1,UK"), 'a.csv:2: "" is no number'],
  ["half a unit", () => read("1,10001,MUG,0.5,t,1,1,UK"), "invoice 1:"],
  ["no unit at all", () => read("1,10001,MUG,0,t,1,1,UK"), "a line moves at least one unit"],
  ["both directions", () => read("1,10001,MUG,1,t,1,1,UK", "1,10001,MUG,-1,t,1,1,UK"), "never two of these"],
  ["a cancellation that sells", () => read("C1,10001,MUG,1,t,1,1,UK"), "never two of these"],
])("refuses %s", (_what, reading, message) => {
  expect(reading).toThrow(OrderFileError);
  expect(reading).toThrow(message);
});

describe("the sample", () => {
  const sample = join(import.meta.dirname, "../sample-orders.csv");
  const invoices = readOrderFiles([{ name: "sample", text: readFileSync(sample, "utf8") }]);
  const lines = invoices.flatMap((invoice) => invoice.lines);

  it.each([
    [
      "cancellations",
      invoices.some((invoice) => invoiceKind(invoice) === "cancellation" && goodsOf(invoice).length > 0),
    ],
    ["write-offs", invoices.some((invoice) => invoiceKind(invoice) === "write-off")],
    ["an invoice without goods", invoices.some((invoice) => goodsOf(invoice).length === 0)],
    ["an invoice that takes several steps", invoices.some((invoice) => goodsOf(invoice).length > 40)],
    [
      "a code twice in one invoice",
      invoices.some((one) => goodsOf(one).length > 0 && goodsOf(one).length < one.lines.length),
    ],
    ["empty customers", invoices.some((invoice) => invoice.customer === "")],
    ["zero prices", lines.some((line) => line.unitPrice === 0 && line.quantity > 0)],
    ["empty descriptions", lines.some((line) => line.description === "")],
    [
      "descriptions with commas and quotes",
      ['"', ","].every((sign) => lines.some((line) => line.description.includes(sign))),
    ],
    ...["POST", "D", "M", "C2", "DOT", "BANK CHARGES"].map((code) => [code, lines.some((line) => line.code === code)]),
  ])("has %s", (_what, has) => {
    expect(has).toBe(true);
  });

  it("is about sixty invoices", () => expect(invoices).toHaveLength(60));
});
