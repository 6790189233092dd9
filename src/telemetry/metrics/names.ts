import { counter, gauge, latency, size } from "./definition.ts";

const HTTP_LABELS = ["app_id", "method", "path", "status"] as const;
const PROBE_LABELS = ["app_id", "status"] as const;

/** Calls of the HTTP API (Dapr's `pkg/diagnostics/http_monitoring.go`). */
export const httpServerMetrics = {
  requestCount: counter("http_server_request_count", "Count of HTTP requests processed by the server.", HTTP_LABELS),
  responseCount: counter("http_server_response_count", "The number of HTTP responses", HTTP_LABELS),
  latency: latency("http_server_latency", "HTTP request end-to-end latency in server.", HTTP_LABELS),
  requestBytes: size(
    "http_server_request_bytes",
    "HTTP request body size if set as ContentLength (uncompressed) in server.",
    ["app_id"],
  ),
  responseBytes: size("http_server_response_bytes", "HTTP response body size (uncompressed) in server.", ["app_id"]),
} as const;

/** Calls to the app over HTTP. */
export const httpClientMetrics = {
  sentBytes: size("http_client_sent_bytes", "Total bytes sent in request body (not including headers)", HTTP_LABELS),
  receivedBytes: size(
    "http_client_received_bytes",
    "Total bytes received in response bodies (not including headers but including error responses with bodies)",
    ["app_id"],
  ),
  latency: latency(
    "http_client_roundtrip_latency",
    "Time between first byte of request headers sent to last byte of response received, or terminal error",
    HTTP_LABELS,
  ),
  completedCount: counter("http_client_completed_count", "Count of completed requests", HTTP_LABELS),
  probeCount: counter("http_healthprobes_completed_count", "Count of completed health probes", PROBE_LABELS),
  probeLatency: latency(
    "http_healthprobes_roundtrip_latency",
    "Time between first byte of health probes headers sent to last byte of response received, or terminal error",
    PROBE_LABELS,
  ),
} as const;

const GRPC_SERVER_SIZE_LABELS = ["app_id", "grpc_server_method"] as const;
const GRPC_SERVER_LABELS = ["app_id", "grpc_server_method", "grpc_server_status"] as const;

/** Calls of the gRPC API (`pkg/diagnostics/grpc_monitoring.go`). */
export const grpcServerMetrics = {
  receivedBytes: size(
    "grpc_io_server_received_bytes_per_rpc",
    "Total bytes received across all messages per RPC.",
    GRPC_SERVER_SIZE_LABELS,
  ),
  sentBytes: size(
    "grpc_io_server_sent_bytes_per_rpc",
    "Total bytes sent in across all response messages per RPC.",
    GRPC_SERVER_SIZE_LABELS,
  ),
  latency: latency(
    "grpc_io_server_server_latency",
    "Time between first byte of request received to last byte of response sent, or terminal error.",
    GRPC_SERVER_LABELS,
  ),
  completedRpcs: counter(
    "grpc_io_server_completed_rpcs",
    "Distribution of bytes sent per RPC, by method.",
    GRPC_SERVER_LABELS,
  ),
} as const;

const GRPC_CLIENT_SIZE_LABELS = ["app_id", "grpc_client_method"] as const;
const GRPC_CLIENT_LABELS = ["app_id", "grpc_client_method", "grpc_client_status"] as const;
const GRPC_PROBE_LABELS = ["app_id", "grpc_client_status"] as const;

/** Calls to the app and to peers over gRPC. */
export const grpcClientMetrics = {
  sentBytes: size(
    "grpc_io_client_sent_bytes_per_rpc",
    "Total bytes sent across all request messages per RPC.",
    GRPC_CLIENT_SIZE_LABELS,
  ),
  receivedBytes: size(
    "grpc_io_client_received_bytes_per_rpc",
    "Total bytes received across all response messages per RPC.",
    GRPC_CLIENT_SIZE_LABELS,
  ),
  latency: latency(
    "grpc_io_client_roundtrip_latency",
    "Time between first byte of request sent to last byte of response received, or terminal error.",
    GRPC_CLIENT_LABELS,
  ),
  completedRpcs: counter("grpc_io_client_completed_rpcs", "Count of RPCs by method and status.", GRPC_CLIENT_LABELS),
  probeCount: counter("grpc_io_healthprobes_completed_count", "Count of completed health probes", GRPC_PROBE_LABELS),
  probeLatency: latency(
    "grpc_io_healthprobes_roundtrip_latency",
    "Time between first byte of health probes sent to last byte of response received, or terminal error",
    GRPC_PROBE_LABELS,
  ),
} as const;

/** What is loaded (`pkg/diagnostics/service_monitoring.go`). */
export const componentMetrics = {
  loaded: counter("runtime_component_loaded", "The number of successfully loaded components.", ["app_id"]),
  initialized: counter("runtime_component_init_total", "The number of initialized components.", [
    "app_id",
    "component",
  ]),
  initFailed: counter("runtime_component_init_fail_total", "The number of component initialization failures.", [
    "app_id",
    "component",
    "reason",
    "componentName",
  ]),
} as const;

/** Service invocation between sidecars (`pkg/diagnostics/service_monitoring.go`). */
export const invocationMetrics = {
  requestsSent: counter(
    "runtime_service_invocation_req_sent_total",
    "The number of requests sent via service invocation.",
    ["app_id", "dst_app_id", "type"],
  ),
  requestsReceived: counter(
    "runtime_service_invocation_req_recv_total",
    "The number of requests received via service invocation.",
    ["app_id", "src_app_id"],
  ),
  answersSent: counter(
    "runtime_service_invocation_res_sent_total",
    "The number of responses sent via service invocation.",
    ["app_id", "dst_app_id", "status"],
  ),
  answersReceived: counter(
    "runtime_service_invocation_res_recv_total",
    "The number of responses received via service invocation.",
    ["app_id", "src_app_id", "status", "type"],
  ),
  answerLatency: latency(
    "runtime_service_invocation_res_recv_latency_ms",
    "The latency of service invocation response.",
    ["app_id", "src_app_id", "status"],
  ),
} as const;

/** Of the caller, not of this sidecar: Dapr's labels. */
const ACCESS_LABELS = ["app_id", "trustDomain", "namespace"] as const;

/** What access control has decided (`pkg/diagnostics/service_monitoring.go`). */
export const accessControlMetrics = {
  appAllowed: counter(
    "runtime_acl_app_policy_action_allowed_total",
    "The number of requests allowed by the app specific action specified in the access control policy.",
    ACCESS_LABELS,
  ),
  appBlocked: counter(
    "runtime_acl_app_policy_action_blocked_total",
    "The number of requests blocked by the app specific action specified in the access control policy.",
    ACCESS_LABELS,
  ),
  globalAllowed: counter(
    "runtime_acl_global_policy_action_allowed_total",
    "The number of requests allowed by the global action specified in the access control policy.",
    ACCESS_LABELS,
  ),
  globalBlocked: counter(
    "runtime_acl_global_policy_action_blocked_total",
    "The number of requests blocked by the global action specified in the access control policy.",
    ACCESS_LABELS,
  ),
} as const;

const POLICY_LABELS = ["app_id", "name", "policy", "namespace", "flow_direction", "target", "status"] as const;

/** What resiliency policies do (`pkg/diagnostics/resiliency_monitoring.go`). */
export const resiliencyMetrics = {
  loaded: counter("resiliency_loaded", "Number of resiliency policies loaded.", ["app_id", "name", "namespace"]),
  executions: counter(
    "resiliency_count",
    "Number of times a resiliency policyKey has been applied to a building block.",
    POLICY_LABELS,
  ),
  activations: counter(
    "resiliency_activations_total",
    "Number of times a resiliency policyKey has been activated in a building block after a failure or after a state change.",
    POLICY_LABELS,
  ),
  breakerState: gauge(
    "resiliency_cb_state",
    "A resiliency policy's current CircuitBreakerState state. 0 is closed, 1 is half-open, 2 is open, and -1 is unknown.",
    POLICY_LABELS,
  ),
} as const;

/** Registered only where the Configuration has `recordErrorCodes`. */
export const errorMetrics = {
  codes: counter("error_code_total", "Total number of times an error with a specific error code was encountered.", [
    "app_id",
    "error_code",
    "category",
  ]),
} as const;

const ACTOR_LABELS = ["app_id", "actor_type"] as const;
const ACTOR_OPERATION_LABELS = [...ACTOR_LABELS, "operation"] as const;
const ACTOR_FIRED_LABELS = [...ACTOR_LABELS, "success"] as const;

/** Actors, and the stream to the placement service (`pkg/diagnostics/service_monitoring.go`). */
export const actorMetrics = {
  statusReports: counter(
    "runtime_actor_status_report_total",
    "The number of the successful status reports to placement service.",
    ACTOR_OPERATION_LABELS,
  ),
  statusReportsFailed: counter(
    "runtime_actor_status_report_fail_total",
    "The number of the failed status reports to placement service.",
    [...ACTOR_OPERATION_LABELS, "reason"],
  ),
  tableOperations: counter(
    "runtime_actor_table_operation_recv_total",
    "The number of the received actor placement table operations.",
    ACTOR_OPERATION_LABELS,
  ),
  rebalanced: counter("runtime_actor_rebalanced_total", "The number of the actor rebalance requests.", ACTOR_LABELS),
  deactivated: counter(
    "runtime_actor_deactivated_total",
    "The number of the successful actor deactivation.",
    ACTOR_LABELS,
  ),
  deactivationsFailed: counter(
    "runtime_actor_deactivated_failed_total",
    "The number of the failed actor deactivation.",
    ACTOR_LABELS,
  ),
  pendingCalls: gauge(
    "runtime_actor_pending_actor_calls",
    "The number of pending actor calls waiting to acquire the per-actor lock.",
    ACTOR_LABELS,
  ),
  timers: gauge("runtime_actor_timers", "The number of actor timer requests.", ACTOR_LABELS),
  timersFired: counter(
    "runtime_actor_timers_fired_total",
    "The number of actor timers fired requests.",
    ACTOR_FIRED_LABELS,
  ),
  remindersFired: counter(
    "runtime_actor_reminders_fired_total",
    "The number of actor reminders fired requests.",
    ACTOR_FIRED_LABELS,
  ),
  stateRefusals: {
    ...counter(
      "outrigger_actor_state_refusals_total",
      "State transactions of actors that ended their activation: fence, lease, exchange (of the store) or uncertain.",
      [...ACTOR_LABELS, "reason"],
    ),
    own: true,
  },
  membershipWaits: {
    ...counter(
      "outrigger_actor_membership_waits_total",
      "Calls that waited for the sidecars to agree on who owns what, by whether their actor moved or was given up.",
      [...ACTOR_LABELS, "moved"],
    ),
    own: true,
  },
} as const;

/** How the sidecar comes to its certificates. */
export const mtlsMetrics = {
  initialized: counter("runtime_mtls_init_total", "The number of successful mTLS authenticator initialization.", [
    "app_id",
  ]),
  initFailed: counter("runtime_mtls_init_fail_total", "The number of mTLS authenticator init failures.", [
    "app_id",
    "reason",
  ]),
  rotated: counter(
    "runtime_mtls_workload_cert_rotated_total",
    "The number of the successful workload certificate rotations.",
    ["app_id"],
  ),
  rotationFailed: counter(
    "runtime_mtls_workload_cert_rotated_fail_total",
    "The number of the failed workload certificate rotations.",
    ["app_id", "reason"],
  ),
} as const;

/** Hot reload, which Dapr does not count. */
export const reloadMetrics = {
  reloads: {
    ...counter(
      "outrigger_resource_reloads_total",
      "Times that resources had changed, by whether all of the changes came into effect.",
      ["app_id", "success"],
    ),
    own: true,
  },
} as const;

/** What Dapr does not count. */
export const ownMetrics = {
  spansDropped: {
    ...counter(
      "outrigger_tracing_spans_dropped_total",
      "Spans that were not exported: the back end did not take them, or more came than fit its queue.",
      ["app_id", "exporter"],
    ),
    own: true,
  },
  connectionsCutOff: {
    ...counter(
      "outrigger_http2_connections_cut_off_total",
      "HTTP/2 connections ended because the peer broke the protocol or a limit.",
      ["app_id", "reason"],
    ),
    own: true,
  },
} as const;
