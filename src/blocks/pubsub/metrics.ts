/**
 * Told about every message that leaves or arrives, for `dapr_component_pubsub_*`. Times are in milliseconds. A port, so
 * that the block knows no metric names.
 */
export interface PubSubMetrics {
  egress(pubsub: string, topic: string, success: boolean, elapsedMs: number): void;
  bulkEgress(pubsub: string, topic: string, success: boolean, published: number, elapsedMs: number): void;
  /** `status` is filled where the app asked for a drop or nothing matched (`success`), as Dapr labels it. */
  ingress(
    pubsub: string,
    topic: string,
    processStatus: "success" | "retry" | "drop",
    status: "" | "success",
    elapsedMs: number,
  ): void;
  bulkIngress(
    pubsub: string,
    topic: string,
    counts: { readonly success: number; readonly retry: number; readonly drop: number },
    elapsedMs: number,
  ): void;
}

export const NO_METRICS: PubSubMetrics = {
  egress: () => undefined,
  bulkEgress: () => undefined,
  ingress: () => undefined,
  bulkIngress: () => undefined,
};
