import { BUILDING_BLOCKS } from "./grafana-building-blocks.ts";
import { type Dashboard, p99By, processRow, quantiles, rateBy, type Row } from "./grafana-dashboard.ts";

const APP = '{app_id=~"$app"}';
const and = (more: string): string => `{app_id=~"$app", ${more}}`;

const API: Row = {
  title: "API of the sidecar",
  panels: [
    {
      title: "HTTP calls by status",
      unit: "ops",
      description: "Calls of the HTTP API that have been answered.",
      queries: rateBy("dapr_http_server_request_count", ["status"], APP),
    },
    {
      title: "HTTP errors (5xx), part of all",
      unit: "percentunit",
      description: "Above zero for long: look at error codes and at the components below.",
      queries: [
        {
          expr: `sum(rate(dapr_http_server_request_count${and('status=~"5.."')}[$__rate_interval])) / sum(rate(dapr_http_server_request_count${APP}[$__rate_interval]))`,
          legend: "5xx",
        },
      ],
    },
    {
      title: "HTTP latency",
      unit: "ms",
      description: "From the first byte of a call to the end of its answer, the app's time included.",
      queries: quantiles("dapr_http_server_latency", APP),
    },
    {
      title: "gRPC calls by status",
      unit: "ops",
      description: "Unary calls of the gRPC API, and proxied calls of any kind.",
      queries: rateBy("dapr_grpc_io_server_completed_rpcs", ["grpc_server_status"], APP),
    },
    {
      title: "gRPC latency, p99 by method",
      unit: "ms",
      description: "From the first byte of a call to the end of its answer.",
      queries: p99By("dapr_grpc_io_server_server_latency", ["grpc_server_method"], APP),
    },
    {
      title: "Errors by code",
      unit: "ops",
      description: "Only with recordErrorCodes in the Configuration. The reference has a page for each code.",
      queries: rateBy("dapr_error_code_total", ["error_code", "category"], APP),
    },
  ],
};

const APP_CHANNEL: Row = {
  title: "Calls of the app",
  panels: [
    {
      title: "HTTP calls of the app by status",
      unit: "ops",
      description: "500 also where no answer came.",
      queries: rateBy("dapr_http_client_completed_count", ["status"], APP),
    },
    {
      title: "HTTP latency of the app",
      unit: "ms",
      description: "The app's own time: compare with the latency of the API.",
      queries: quantiles("dapr_http_client_roundtrip_latency", APP),
    },
    {
      title: "Health probes by status",
      unit: "ops",
      description: "Only with app health checks.",
      queries: [
        ...rateBy("dapr_http_healthprobes_completed_count", ["status"], APP),
        ...rateBy("dapr_grpc_io_healthprobes_completed_count", ["grpc_client_status"], APP),
      ],
    },
    {
      title: "gRPC calls out by status",
      unit: "ops",
      description: "To a gRPC app, to other sidecars, to the control plane.",
      queries: rateBy("dapr_grpc_io_client_completed_rpcs", ["grpc_client_status"], APP),
    },
    {
      title: "gRPC latency out, p99 by method",
      unit: "ms",
      description: "From the first byte sent to the end of the answer.",
      queries: p99By("dapr_grpc_io_client_roundtrip_latency", ["grpc_client_method"], APP),
    },
  ],
};

const INVOCATION: Row = {
  title: "Service invocation",
  panels: [
    {
      title: "Calls sent, by app",
      unit: "ops",
      description: "Attempts, so retries count.",
      queries: rateBy("dapr_runtime_service_invocation_req_sent_total", ["app_id", "dst_app_id"], APP),
    },
    {
      title: "Answers by status",
      unit: "ops",
      description: "HTTP status or gRPC code, as the caller got it.",
      queries: rateBy("dapr_runtime_service_invocation_res_recv_total", ["src_app_id", "status"], APP),
    },
    {
      title: "Latency of answers, p99 by app",
      unit: "ms",
      description: "Seen from the caller's sidecar: network, the other sidecar and its app.",
      queries: p99By("dapr_runtime_service_invocation_res_recv_latency_ms", ["src_app_id"], APP),
    },
    {
      title: "Calls received, by app",
      unit: "ops",
      description: "Of other sidecars for the app.",
      queries: rateBy("dapr_runtime_service_invocation_req_recv_total", ["app_id", "src_app_id"], APP),
    },
    {
      title: "Blocked by access control",
      unit: "ops",
      description: "Calls that the callee's access control refused, by the caller's namespace.",
      queries: [
        ...rateBy("dapr_runtime_acl_app_policy_action_blocked_total", ["app_id", "namespace"], APP),
        ...rateBy("dapr_runtime_acl_global_policy_action_blocked_total", ["app_id", "namespace"], APP),
      ],
    },
  ],
};

const RESILIENCY: Row = {
  title: "Resiliency, identity, limits",
  panels: [
    {
      title: "Policies that acted",
      unit: "ops",
      description: "Retries after failures, timeouts that struck, breakers that changed their state.",
      queries: rateBy("dapr_resiliency_activations_total", ["policy", "target", "status"], APP),
    },
    {
      title: "Circuit breakers that are not closed",
      unit: "short",
      description: "1 while a breaker is open or lets a call through to see.",
      queries: [
        {
          expr: `max by (app_id, target, status) (dapr_resiliency_cb_state${and('status=~"open|half-open"')})`,
          legend: "{{app_id}} {{target}} {{status}}",
        },
      ],
    },
    {
      title: "Certificates renewed",
      unit: "short",
      description: "In the last hour; failures are tried again until the certificate ends.",
      queries: [
        {
          expr: `sum by (app_id) (increase(dapr_runtime_mtls_workload_cert_rotated_total${APP}[1h]))`,
          legend: "{{app_id}} renewed",
        },
        {
          expr: `sum by (app_id, reason) (increase(dapr_runtime_mtls_workload_cert_rotated_fail_total${APP}[1h]))`,
          legend: "{{app_id}} failed: {{reason}}",
        },
      ],
    },
    {
      title: "Connections cut off",
      unit: "ops",
      description: "Peers that broke HTTP/2 or a limit; SECURITY.md says which.",
      queries: rateBy("outrigger_http2_connections_cut_off_total", ["app_id", "reason"], APP),
    },
    {
      title: "Metrics at their limit",
      unit: "ops",
      description: "Observations counted under other. Lower the cardinality of these metrics in the Configuration.",
      queries: [
        {
          expr: "sum by (job, metric) (rate(outrigger_metric_series_dropped_total[$__rate_interval]))",
          legend: "{{job}} {{metric}}",
        },
      ],
    },
  ],
};

/** What sidecars do, and what happens to them. */
export const SIDECARS: Dashboard = {
  uid: "outrigger-sidecars",
  title: "Outrigger sidecars",
  description: "Rate, errors and duration of every API of the sidecars, and of what they stand on.",
  tags: ["sidecar"],
  variables: [
    { name: "app", label: "App", query: "label_values(dapr_runtime_component_init_total, app_id)" },
    { name: "job", label: "Job", query: "label_values(process_resident_memory_bytes, job)" },
  ],
  rows: [API, APP_CHANNEL, INVOCATION, ...BUILDING_BLOCKS, RESILIENCY, processRow('{job=~"$job"}')],
};
