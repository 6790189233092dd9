import { z } from "zod";
import { invoiceSchema } from "../model/invoice.ts";
import type { OrderReceipt } from "../model/order.ts";
import type { OrderDesk } from "./order-desk.ts";

/** The part of Express that the façade uses; the SDK brings Express without its types. */
export interface Rest {
  get(path: string, handle: Handler): void;
  post(path: string, handle: Handler): void;
  /** Express takes a function of four parameters for what answers failures of the handlers before it. */
  use(handle: (error: unknown, request: RestRequest, response: RestResponse, next: unknown) => void): void;
}
type Handler = (request: RestRequest, response: RestResponse) => void;

interface RestRequest {
  readonly params: Readonly<Record<string, string>>;
  readonly body: unknown;
}

interface RestResponse {
  status(code: number): RestResponse;
  json(body: object): void;
}

interface Answer {
  readonly status: number;
  readonly body: object;
}

/** The façade's REST API: 400 says what is wrong with the order, 502 that a service behind the façade failed. */
export function addRoutes(rest: Rest, desk: OrderDesk): void {
  rest.post(
    "/orders",
    answering(async ({ body }) => {
      const invoice = invoiceSchema.safeParse(body);
      if (!invoice.success) return { status: 400, body: { error: z.prettifyError(invoice.error) } };
      const { id, status, shortOf, value } = await desk.place(invoice.data);
      const receipt: OrderReceipt = { id, status, value, ...(shortOf === undefined ? {} : { shortOf }) };
      return { status: 200, body: receipt };
    }),
  );
  rest.get(
    "/orders/:id",
    answering(async ({ params }) => {
      const order = await desk.find(params["id"] ?? "");
      if (order === undefined) return { status: 404, body: { error: `no order ${params["id"]}` } };
      return { status: 200, body: order };
    }),
  );
  rest.get(
    "/stock/:code",
    answering(async ({ params }) => {
      const item = await desk.onHand(params["code"] ?? "");
      if (item.onHand === null) return { status: 404, body: { error: `no stock code ${item.code}` } };
      return { status: 200, body: item };
    }),
  );
  rest.get(
    "/summary",
    answering(async () => ({ status: 200, body: await desk.summary() })),
  );
  // Only the SDK's body parsers come before the handlers, and those answer their own failures.
  rest.use((error, _request, response, _next) => {
    response.status(400).json({ error: error instanceof Error ? error.message : String(error) });
  });
}

function answering(handle: (request: RestRequest) => Promise<Answer>): Handler {
  return (request, response) => {
    handle(request)
      .catch((error: unknown) => failure(error))
      .then(({ status, body }) => response.status(status).json(body))
      .catch((error: unknown) => console.error("façade: could not answer:", error));
  };
}

function failure(error: unknown): Answer {
  console.error("façade:", error);
  return { status: 502, body: { error: error instanceof Error ? error.message : String(error) } };
}
