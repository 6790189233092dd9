import { expect, it } from "vitest";
import { goodsOf, type Invoice, invoiceKind, invoiceSchema, valueOf } from "./invoice.ts";

function invoice(id: string, ...lines: [code: string, quantity: number, unitPrice?: number][]): Invoice {
  return invoiceSchema.parse({
    id,
    placedAt: "2026-03-02 09:00:00",
    customer: "",
    country: "Ireland",
    lines: lines.map(([code, quantity, unitPrice = 1]) => ({ code, description: "", quantity, unitPrice })),
  });
}

it("tells orders, cancellations and write-offs apart", () => {
  expect(invoiceKind(invoice("1", ["10001", 2]))).toBe("order");
  expect(invoiceKind(invoice("C1", ["10001", -2]))).toBe("cancellation");
  expect(invoiceKind(invoice("1", ["10001", -2]))).toBe("write-off");
});

it("moves goods only, one line per code, in units above zero", () => {
  const lines = goodsOf(
    invoice("1", ["10002", 2], ["POST", 1], ["10001b", 3], ["10002", 4], ["BANK CHARGES", 1], ["M", 1]),
  );
  expect(lines).toEqual([
    { code: "10001B", quantity: 3 },
    { code: "10002", quantity: 6 },
  ]);
  expect(goodsOf(invoice("C1", ["10002", -2], ["D", -1]))).toEqual([{ code: "10002", quantity: 2 }]);
});

it("adds prices up to the penny", () => {
  expect(valueOf(invoice("1", ["10001", 3, 0.1], ["POST", 1, 0.005]))).toBe(0.31);
  expect(valueOf(invoice("C1", ["D", -1, 27.5]))).toBe(-27.5);
});
