import { Cancellation } from "../../kit/cancel-signal.ts";
import type { HttpExchange } from "../../net/http/types.ts";

/** Aborted when the caller goes away before the answer is complete, so that nothing is done for nobody. */
export function callerSignal(exchange: HttpExchange): Cancellation {
  const cancellation = new Cancellation();
  exchange.onAbort(() => cancellation.abort(new Error("context canceled")));
  return cancellation;
}
