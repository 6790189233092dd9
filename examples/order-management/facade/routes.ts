import { z } from "zod";
import { identifierSchema } from "../model/identifier.ts";
import { goodsOf, type Invoice, invoiceKind, type InvoiceKind } from "../model/invoice.ts";
import type { OrderAnswer } from "../model/order-methods.ts";
import * as rest from "../model/rest.ts";
import { goodsCodeSchema } from "../model/stock-line.ts";
import { openingAnswerSchema, openingStockSchema } from "../model/stock-methods.ts";
import type { TransferKind } from "../model/transfer.ts";
import { ApiError } from "./api-error.ts";
import type { Peers } from "./peers.ts";
import { type Answer, type Route, route } from "./route.ts";

const idParams = z.strictObject({ id: identifierSchema });

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
    path: "/reservations",
    operationId: "reserve",
    summary: "Reserves all of the goods or none, until the reservation expires",
    writes: true,
    body: rest.reservationBodySchema,
    answers: {
      201: ["All goods are reserved", rest.reservedSchema],
      409: ["Too little is on hand, or the reservation has ended before", rest.notReservedSchema],
    },
    errors: [],
    handle: async ({ body: { id, lines }, peers }) => {
      const { status, shortOf, expiresAt } = await peers.reserve({ reservationId: id, lines });
      if (status === "mismatched") {
        throw new ApiError("id-taken", `reservation ${id} holds other goods: give this one another id`);
      }
      if (status === "reserved") return { status: 201, body: { id, status, expiresAt } satisfies rest.Reserved };
      const refused: rest.NotReserved = { id, status, ...(shortOf === undefined ? {} : { shortOf }) };
      return { status: 409, body: refused };
    },
  }),
  route({
    method: "delete",
    path: "/reservations/{id}",
    operationId: "giveUpReservation",
    summary: "Asks for the goods of a reservation to be given back; what is sold by then stays sold",
    writes: true,
    params: idParams,
    answers: { 202: ["The goods will be given back", rest.cancellingSchema] },
    errors: [],
    handle: async ({ params: { id }, peers }) => {
      await peers.giveUp({ reservationId: id });
      return { status: 202, body: { id } satisfies rest.Cancelling };
    },
  }),
  route({
    method: "post",
    path: "/orders",
    operationId: "placeOrder",
    summary: "Places an order; it is confirmed, or not, a little later",
    writes: true,
    body: rest.orderBodySchema,
    answers: { 202: ["The order has been kept", rest.placedSchema] },
    errors: [409],
    handle: async ({ body, peers }) => answerOf(202, await peers.place(body)),
  }),
  route({
    method: "get",
    path: "/orders/{id}",
    operationId: "findOrder",
    summary: "An order as it is now",
    writes: false,
    params: idParams,
    answers: { 200: ["The order with its invoice", rest.foundSchema] },
    errors: [404],
    handle: async ({ params: { id }, peers }) => {
      const { order } = await peers.find(id);
      if (order === null) throw new ApiError("order-not-found", `there is no order ${id}: place it with POST /orders`);
      return { status: 200, body: order };
    },
  }),
  route({
    method: "post",
    path: "/orders/{id}/cancellation",
    operationId: "cancelOrder",
    summary: "Takes back goods of a confirmed order",
    writes: true,
    params: idParams,
    body: rest.invoiceBodySchema,
    answers: { 200: ["The goods are on the shelf again", rest.placedSchema] },
    errors: [404, 409],
    handle: async ({ params: { id }, body: { invoice }, peers }) => {
      return answerOf(200, await peers.cancel({ id, invoice }));
    },
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

function answerOf(status: number, answer: OrderAnswer): Answer {
  if ("refusal" in answer) throw new ApiError(answer.refusal, answer.message);
  return { status, body: answer.order };
}

function requireKind(invoice: Invoice, kind: InvoiceKind, what: string): void {
  if (invoiceKind(invoice) !== kind) throw new ApiError("invalid-request", `invoice ${invoice.id} ${what}`);
}

async function transfer(peers: Peers, invoice: Invoice, kind: TransferKind): Promise<Answer> {
  const { id } = invoice;
  const { status, shortOf } = await peers.transfer({ id, kind, lines: goodsOf(invoice) });
  if (status === "mismatched") {
    throw new ApiError("id-taken", `invoice ${id} has moved other goods already: give it another number`);
  }
  if (status === "done") return { status: 200, body: { id, status } satisfies rest.Transferred };
  const refused: rest.NotTransferred = { id, status, ...(shortOf === undefined ? {} : { shortOf }) };
  return { status: 409, body: refused };
}
