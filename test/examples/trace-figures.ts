import type { CollectedSpan } from "../harness/trace-collector.ts";

const CALL = "CallActor/StockActor/move";
const DELIVERY = "pubsub/order-paid";
/** What `turn` of resources/resiliency.yaml says. */
const TIMEOUT_MS = 1_000;
/** Nothing that waits for an answer of an ill service, or tries again after 200 ms, is as fast. */
const AT_ONCE_MS = 100;

/** What the spans of all sidecars say. */
export interface TraceFigures {
  readonly spans: number;
  /** Commands of orders to stock codes, each with all its attempts. */
  readonly calls: number;
  readonly failed: number;
  /** Failed without a wait: the breaker was open. */
  readonly failedAtOnce: number;
  /** Longer than one attempt may be: given up, and tried again. */
  readonly slow: number;
  /** Traces of a paid order whose delivery failed first, and succeeded later. */
  readonly deliveredLater: number;
}

export function tracesOf(spans: readonly CollectedSpan[]): TraceFigures {
  const calls = spans.filter(({ service, name }) => service === "orders" && name === CALL);
  const failed = calls.filter(({ failure }) => failure !== undefined);
  const deliveries = Map.groupBy(
    spans.filter(({ name }) => name === DELIVERY),
    ({ traceId }) => traceId,
  );
  return {
    spans: spans.length,
    calls: calls.length,
    failed: failed.length,
    failedAtOnce: failed.filter(({ durationUs }) => durationUs < AT_ONCE_MS * 1_000).length,
    slow: calls.filter(({ durationUs }) => durationUs >= TIMEOUT_MS * 1_000).length,
    deliveredLater: [...deliveries.values()].filter(
      (attempts) => new Set(attempts.map(({ failure }) => failure === undefined)).size === 2,
    ).length,
  };
}
