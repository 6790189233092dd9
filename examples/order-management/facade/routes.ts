import { z } from "zod";
import { identifierSchema } from "../model/identifier.ts";
import { goodsOf, type Invoice, invoiceKind, type InvoiceKind } from "../model/invoice.ts";
import { type OrderStatus, type OrderSummary, orderRecordSchema, orderSummarySchema } from "../model/order.ts";
import type { OrderAnswer } from "../model/order-commands.ts";
import * as rest from "../model/rest.ts";
import { goodsCodeSchema } from "../model/stock-line.ts";
import { openingAnswerSchema, openingStockSchema } from "../model/stock-commands.ts";
import type { TransferRequest } from "../model/transfer.ts";
import { ApiError } from "./api-error.ts";
import type { Peers } from "./peers.ts";
import { type Answer, type Route, route } from "./route.ts";

const idParams = z.strictObject({ id: identifierSchema });

const UNSOLD: readonly OrderStatus[] = ["rejected", "cancelled", "expired"];

/** The REST API; every write may be repeated with the same ids, and does nothing the second time. */
export const ROUTES: readonly Route[] = [
  route({
    method: "get",
    path: "/availability/{code}",
    operationId: "availability",
    summary: "What is on hand and what is reserved of a stock code",
    writes: false,
    params: z.strictObject({ code: goodsCodeSchema }),
    answers: { 200: ["The units of that code", rest.availabilitySchema] },
    errors: [404],
    async handle({ params: { code }, peers }) {
      const { item } = await peers.availability(code);
      if (item === null) throw new ApiError("code-not-found", `there are no books for ${code}: check the stock code`);
      return { status: 200, body: item };
    },
  }),
  route({
    method: "post",
    path: "/orders",
    operationId: "placeOrder",
    summary: "Places an order and reserves its goods, all of them or none, until it is paid or expires",
    writes: true,
    body: rest.invoiceBodySchema,
    answers: {
      201: ["All goods are reserved", orderSummarySchema],
      409: ["Too little is on hand, or the order has ended before", orderSummarySchema],
    },
    errors: [],
    handle: async ({ body, peers }) => {
      const { status, body: order } = answerOf(201, await peers.place(body.invoice.id, body));
      return { status: UNSOLD.includes(order.status) ? 409 : status, body: order };
    },
  }),
  route({
    method: "post",
    path: "/orders/{id}/payment",
    operationId: "payOrder",
    summary: "Takes the payment of an order; it is confirmed a little later",
    writes: true,
    params: idParams,
    answers: { 202: ["The order will be confirmed", orderSummarySchema] },
    errors: [404, 409],
    handle: async ({ params: { id }, peers }) => answerOf(202, await peers.pay(id)),
  }),
  route({
    method: "delete",
    path: "/orders/{id}",
    operationId: "cancelOrder",
    summary: "Gives an unpaid order up, unless it has ended before",
    writes: true,
    params: idParams,
    answers: { 200: ["The goods are on the shelf again", orderSummarySchema] },
    errors: [404, 409],
    handle: async ({ params: { id }, peers }) => answerOf(200, await peers.cancel(id)),
  }),
  route({
    method: "get",
    path: "/orders/{id}",
    operationId: "findOrder",
    summary: "An order as it is now",
    writes: false,
    params: idParams,
    answers: { 200: ["The order with its invoice and its history", orderRecordSchema] },
    errors: [404],
    handle: async ({ params: { id }, peers }) => {
      const { order } = await peers.find(id);
      if (order === null) throw new ApiError("order-not-found", `there is no order ${id}: place it with POST /orders`);
      return { status: 200, body: order };
    },
  }),
  route({
    method: "post",
    path: "/orders/{id}/refund",
    operationId: "refundOrder",
    summary: "Takes back goods of a confirmed order",
    writes: true,
    params: idParams,
    body: rest.invoiceBodySchema,
    answers: { 200: ["The goods are on the shelf again", orderSummarySchema] },
    errors: [404, 409],
    handle: async ({ params: { id }, body, peers }) => answerOf(200, await peers.refund(id, body)),
  }),
  route({
    method: "post",
    path: "/returns",
    operationId: "takeBack",
    summary: "Takes back goods whose order nobody knows",
    writes: true,
    body: rest.invoiceBodySchema,
    answers: { 200: ["The goods are on the shelf again", rest.transferredSchema] },
    errors: [409],
    handle: async ({ body: { invoice }, peers }) => {
      requireKind(invoice, "cancellation", "takes nothing back: its number must begin with C");
      return await transfer(peers, invoice, "return");
    },
  }),
  route({
    method: "post",
    path: "/write-offs",
    operationId: "writeOff",
    summary: "Writes goods off: all of the invoice or none",
    writes: true,
    body: rest.invoiceBodySchema,
    answers: {
      200: ["The goods have left the shelf", rest.transferredSchema],
      409: ["Too little is on hand", rest.notTransferredSchema],
    },
    errors: [],
    handle: async ({ body: { invoice }, peers }) => {
      requireKind(invoice, "write-off", "writes nothing off: its quantities must be below zero");
      return await transfer(peers, invoice, "write-off");
    },
  }),
  route({
    method: "post",
    path: "/opening-stock",
    operationId: "openStock",
    summary: "Fills the shelves of those codes that have no books yet",
    writes: true,
    body: openingStockSchema,
    answers: { 200: ["How many codes there were, and how many had no books", openingAnswerSchema] },
    errors: [],
    handle: async ({ body, peers }) => ({ status: 200, body: await peers.open(body) }),
  }),
  route({
    method: "get",
    path: "/healthz",
    operationId: "health",
    summary: "Whether the façade itself is up, whatever is behind it",
    writes: false,
    answers: { 200: ["It is", rest.healthSchema] },
    errors: [],
    handle: async () => await Promise.resolve({ status: 200, body: { status: "ok" } }),
  }),
];

function answerOf(status: number, answer: OrderAnswer): { readonly status: number; readonly body: OrderSummary } {
  if ("refusal" in answer) throw new ApiError(answer.refusal, answer.message);
  return { status, body: answer.order };
}

function requireKind(invoice: Invoice, kind: InvoiceKind, what: string): void {
  if (invoiceKind(invoice) !== kind) throw new ApiError("invalid-request", `invoice ${invoice.id} ${what}`);
}

async function transfer(peers: Peers, invoice: Invoice, kind: TransferRequest["kind"]): Promise<Answer> {
  const { id } = invoice;
  const { status, shortOf } = await peers.transfer(id, { kind, lines: goodsOf(invoice) });
  if (status === "mismatched") {
    throw new ApiError("id-taken", `invoice ${id} has moved other goods already: give it another number`);
  }
  if (status === "done") return { status: 200, body: { id, status } satisfies rest.Transferred };
  const refused: rest.NotTransferred = { id, status, ...(shortOf === undefined ? {} : { shortOf }) };
  return { status: 409, body: refused };
}
