import { z } from "zod";
import { identifierSchema } from "./identifier.ts";
import { invoiceSchema } from "./invoice.ts";
import { orderRefusalSchema } from "./order-commands.ts";
import { goodsCodeSchema } from "./stock-line.ts";

/**
 * The error codes of the REST API. `invalid-request` is a 400, `unauthorized` a 401, `order-not-found` and its like a 404,
 * `unavailable` a 503 (a service or a sidecar is away: try again), `internal` a 500, all others are a 409.
 */
const errorCodeSchema = z.enum([
  ...orderRefusalSchema.options,
  "invalid-request",
  "unauthorized",
  "code-not-found",
  "id-taken",
  "route-not-found",
  "unavailable",
  "internal",
]);
export type ErrorCode = z.infer<typeof errorCodeSchema>;

/** Body of every failure; the message names the thing and the fix. */
export const errorBodySchema = z.strictObject({
  error: z.strictObject({ code: errorCodeSchema, message: z.string() }),
});
export type ErrorBody = z.infer<typeof errorBodySchema>;

/** `GET /availability/:code` → 200, 404. */
export const availabilitySchema = z.strictObject({ code: goodsCodeSchema, onHand: z.int(), reserved: z.int() });

/** `POST /orders`, `POST /orders/:id/refund`, `POST /returns`, `POST /write-offs`. */
export const invoiceBodySchema = z.strictObject({ invoice: invoiceSchema });

/** 200 of `POST /returns` and `POST /write-offs`. */
export const transferredSchema = z.strictObject({ id: identifierSchema, status: z.literal("done") });
export type Transferred = z.infer<typeof transferredSchema>;

/** 409 of `POST /write-offs`, unless it is an `ErrorBody` (`id-taken`). */
export const notTransferredSchema = z.strictObject({
  id: identifierSchema,
  status: z.literal("refused"),
  shortOf: z.string().optional(),
});
export type NotTransferred = z.infer<typeof notTransferredSchema>;

/** `GET /healthz`: the façade's own, whatever is behind it. */
export const healthSchema = z.strictObject({ status: z.literal("ok") });
