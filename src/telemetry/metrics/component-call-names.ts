import { counter, latency } from "./definition.ts";

const CALL_LABELS = ["app_id", "component", "namespace", "operation", "success"] as const;
const CALL_LABELS_WITHOUT_OPERATION = ["app_id", "component", "namespace", "success"] as const;

/** Calls of components, and of the app by input bindings (`pkg/diagnostics/component_monitoring.go`). */
export const componentCallMetrics = {
  stateCount: counter(
    "component_state_count",
    "The number of operations performed on the state component.",
    CALL_LABELS,
  ),
  stateLatency: latency(
    "component_state_latencies",
    "The latency of the response from the state component.",
    CALL_LABELS,
  ),
  secretCount: counter(
    "component_secret_count",
    "The number of operations performed on the secret component.",
    CALL_LABELS,
  ),
  secretLatency: latency(
    "component_secret_latencies",
    "The latency of the response from the secret component.",
    CALL_LABELS,
  ),
  configurationCount: counter(
    "component_configuration_count",
    "The number of operations performed on the configuration component.",
    CALL_LABELS,
  ),
  configurationLatency: latency(
    "component_configuration_latencies",
    "The latency of the response from the configuration component.",
    CALL_LABELS,
  ),
  cryptoCount: counter(
    "component_crypto_count",
    "The number of operations performed on the crypto component.",
    CALL_LABELS,
  ),
  cryptoLatency: latency(
    "component_crypto_latencies",
    "The latency of the response from the crypto component.",
    CALL_LABELS,
  ),
  conversationCount: counter(
    "component_conversation_count",
    "The number of operations performed on the conversation component.",
    CALL_LABELS_WITHOUT_OPERATION,
  ),
  conversationLatency: latency(
    "component_conversation_latencies",
    "The latency of the response from the conversation component.",
    CALL_LABELS_WITHOUT_OPERATION,
  ),
  outputBindingCount: counter(
    "component_output_binding_count",
    "The number of operations invoked on the output binding component.",
    CALL_LABELS,
  ),
  outputBindingLatency: latency(
    "component_output_binding_latencies",
    "The latency of the response from the output binding component.",
    CALL_LABELS,
  ),
  inputBindingCount: counter(
    "component_input_binding_count",
    "The number of incoming events arriving from the input binding component.",
    CALL_LABELS_WITHOUT_OPERATION,
  ),
  inputBindingLatency: latency(
    "component_input_binding_latencies",
    "The triggered app event processing latency.",
    CALL_LABELS_WITHOUT_OPERATION,
  ),
} as const;

const JOB_LABELS = ["app_id", "namespace", "operation"] as const;

/** Triggers of jobs that the app has answered (the same file). */
export const jobMetrics = {
  successCount: counter("component_job_success_count", "The number of successful job triggers.", JOB_LABELS),
  failureCount: counter("component_job_failure_count", "The number of failed job triggers.", JOB_LABELS),
  latency: latency(
    "component_job_latencies",
    "The latency of the response from the app that processed the triggered job.",
    ["app_id", "namespace", "operation", "success"],
  ),
} as const;

const INGRESS_LABELS = ["app_id", "component", "namespace", "process_status", "topic", "status"] as const;
const BULK_INGRESS_LABELS = ["app_id", "component", "namespace", "process_status", "topic"] as const;
const EGRESS_LABELS = ["app_id", "component", "namespace", "success", "topic"] as const;

/** Messages to and from brokers (the same file). */
export const pubsubMetrics = {
  ingressCount: counter(
    "component_pubsub_ingress_count",
    "The number of incoming messages arriving from the pub/sub component.",
    INGRESS_LABELS,
  ),
  ingressLatency: latency(
    "component_pubsub_ingress_latencies",
    "The consuming app event processing latency.",
    INGRESS_LABELS,
  ),
  bulkIngressCount: counter(
    "component_pubsub_ingress_bulk_count",
    "The number of incoming bulk subscribe calls arriving from the bulk pub/sub component.",
    BULK_INGRESS_LABELS,
  ),
  bulkIngressEventCount: counter(
    "component_pubsub_ingress_bulk_event_count",
    "Total number of incoming messages arriving from the bulk pub/sub component via Bulk Subscribe.",
    BULK_INGRESS_LABELS,
  ),
  bulkIngressLatency: latency(
    "component_pubsub_ingress_bulk_latencies",
    "The consuming app event processing latency for the bulk pub/sub component.",
    BULK_INGRESS_LABELS,
  ),
  egressCount: counter(
    "component_pubsub_egress_count",
    "The number of outgoing messages published to the pub/sub component.",
    EGRESS_LABELS,
  ),
  egressLatency: latency(
    "component_pubsub_egress_latencies",
    "The latency of the response from the pub/sub component.",
    EGRESS_LABELS,
  ),
  bulkEgressCount: counter(
    "component_pubsub_egress_bulk_count",
    "The number of bulk publish calls to the pub/sub component.",
    EGRESS_LABELS,
  ),
  bulkEgressEventCount: counter(
    "component_pubsub_egress_bulk_event_count",
    "The number of outgoing messages to the pub/sub component published through bulk publish API.",
    EGRESS_LABELS,
  ),
  bulkEgressLatency: latency(
    "component_pubsub_egress_bulk_latencies",
    "The latency of the response for the bulk publish call from the pub/sub component.",
    EGRESS_LABELS,
  ),
} as const;
