import { expect, it } from "vitest";
import type { Invoice } from "../model/invoice.ts";
import { replay } from "./channels.ts";

const invoices: Invoice[] = Array.from({ length: 20 }, (_, index) => {
  return { id: String(index), placedAt: "", customer: "", country: "", lines: [] };
});

it("posts every invoice once, as many at a time as there are channels, and keeps failures apart", async () => {
  const posted: string[] = [];
  const progress: number[] = [];
  let open = 0;
  let openMax = 0;
  const result = await replay({
    invoices,
    channels: 3,
    signal: new AbortController().signal,
    post: async ({ id }) => {
      posted.push(id);
      openMax = Math.max(openMax, ++open);
      await Promise.resolve();
      open--;
      if (id === "7") throw new Error("no");
      return { id, status: "placed", value: 0 };
    },
    onProgress: (done) => progress.push(done),
  });
  expect(posted).toEqual(invoices.map(({ id }) => id));
  expect(openMax).toBe(3);
  expect(result.receipts.size).toBe(19);
  expect([...result.failures]).toEqual([["7", "no"]]);
  expect(result.latenciesMs).toHaveLength(20);
  expect(progress).toEqual(invoices.map((_, index) => index + 1));
});

it("takes no further order once aborted", async () => {
  const stopped = new AbortController();
  const { receipts } = await replay({
    invoices,
    channels: 2,
    signal: stopped.signal,
    post: async ({ id }) => {
      if (id === "5") stopped.abort();
      return await Promise.resolve({ id, status: "placed", value: 0 });
    },
    onProgress: () => {},
  });
  expect(receipts.size).toBeLessThan(8);
});
