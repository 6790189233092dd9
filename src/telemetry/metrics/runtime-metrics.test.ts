import { describe, expect, it } from "vitest";
import { apiError } from "../../errors/error.ts";
import { commonErrors } from "../../errors/catalogue/common.ts";
import { GRPC_STATUS } from "../../errors/grpc-status.ts";
import { silentLogger } from "../../kit/silent-logger.ts";
import {
  createRuntimeMetrics,
  DEFAULT_METRICS_SETTINGS,
  type MetricsSettings,
  type RuntimeMetrics,
} from "./runtime-metrics.ts";

function metricsWith(settings: Partial<MetricsSettings> = {}): RuntimeMetrics {
  return createRuntimeMetrics({
    appId: "myapp",
    namespace: "",
    settings: { ...DEFAULT_METRICS_SETTINGS, ...settings },
    logger: silentLogger,
  });
}

function samples(metrics: RuntimeMetrics): string[] {
  return metrics.registry
    .render()
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#") && !line.includes("_bucket"));
}

describe("createRuntimeMetrics", () => {
  it("counts HTTP calls with 1.18's default labels", () => {
    const metrics = metricsWith();
    metrics.httpServer.record("GET", "/v1.0/state/mystore/key?consistency=strong", 200, 3, 0, 11);
    metrics.httpServer.record("GET", "/v1.0/state/mystore/other", 200, 4, 0, 9);
    metrics.httpServer.record("BREW", "/v1.0/state/mystore", 204, 1, 30, 0);
    const get = 'app_id="myapp",method="GET",path="/v1.0/state/mystore",status="200"';
    const brew = 'app_id="myapp",method="UNKNOWN",path="/v1.0/state/mystore",status="204"';
    expect(samples(metrics)).toEqual([
      `dapr_http_server_latency_sum{${get}} 7`,
      `dapr_http_server_latency_count{${get}} 2`,
      `dapr_http_server_latency_sum{${brew}} 1`,
      `dapr_http_server_latency_count{${brew}} 1`,
      'dapr_http_server_request_bytes_sum{app_id="myapp"} 30',
      'dapr_http_server_request_bytes_count{app_id="myapp"} 3',
      `dapr_http_server_request_count{${get}} 2`,
      `dapr_http_server_request_count{${brew}} 1`,
      'dapr_http_server_response_bytes_sum{app_id="myapp"} 20',
      'dapr_http_server_response_bytes_count{app_id="myapp"} 3',
      `dapr_http_server_response_count{${get}} 2`,
      `dapr_http_server_response_count{${brew}} 1`,
    ]);
  });

  it("blanks path and method and counts no responses where the Configuration says so", () => {
    const metrics = metricsWith({ http: { increasedCardinality: false, pathMatching: [], excludeVerbs: true } });
    metrics.httpServer.record("GET", "/v1.0/invoke/myapp/method/hi", 200, 1, 0, 2);
    const text = metrics.registry.render();
    expect(text).toContain('dapr_http_server_request_count{app_id="myapp",method="",path="",status="200"} 1\n');
    expect(text).not.toContain("response_count");
  });

  it("counts calls to the app and probes of its health", () => {
    const metrics = metricsWith();
    metrics.httpClient.record("GET", "/dapr/config", 200, 2, 0, 20);
    metrics.httpClient.recordProbe(500, 1);
    metrics.grpcClient.record("/pkg.App/Call", GRPC_STATUS.UNAVAILABLE, 2, 5, 0);
    metrics.grpcClient.recordProbe(GRPC_STATUS.OK, 1);
    const text = metrics.registry.render();
    expect(text).toContain(
      'dapr_http_client_completed_count{app_id="myapp",method="GET",path="/dapr/config",status="200"} 1\n',
    );
    expect(text).toContain(
      'dapr_http_client_sent_bytes_count{app_id="myapp",method="GET",path="/dapr/config",status=""} 1\n',
    );
    expect(text).toContain('dapr_http_client_received_bytes_sum{app_id="myapp"} 20\n');
    expect(text).toContain('dapr_http_healthprobes_completed_count{app_id="myapp",status="500"} 1\n');
    expect(text).toContain(
      'dapr_grpc_io_client_completed_rpcs{app_id="myapp",grpc_client_method="/pkg.App/Call",grpc_client_status="Unavailable"} 1\n',
    );
    expect(text).toContain('dapr_grpc_io_healthprobes_completed_count{app_id="myapp",grpc_client_status="OK"} 1\n');
  });

  it("counts gRPC calls, and of streams no bytes", () => {
    const metrics = metricsWith();
    metrics.grpcServer.record("/dapr.proto.runtime.v1.Dapr/GetState", GRPC_STATUS.OK, 1, 10, 20);
    metrics.grpcServer.recordStream("/pkg.App/Watch", GRPC_STATUS.CANCELLED, 50);
    const text = metrics.registry.render();
    expect(text).toContain(
      'dapr_grpc_io_server_completed_rpcs{app_id="myapp",grpc_server_method="/dapr.proto.runtime.v1.Dapr/GetState",grpc_server_status="OK"} 1\n',
    );
    expect(text).toContain('grpc_server_method="/pkg.App/Watch",grpc_server_status="Canceled"} 1\n');
    expect(text).toContain(
      'dapr_grpc_io_server_sent_bytes_per_rpc_sum{app_id="myapp",grpc_server_method="/dapr.proto.runtime.v1.Dapr/GetState"} 20\n',
    );
    expect(text).not.toContain('sent_bytes_per_rpc_count{app_id="myapp",grpc_server_method="/pkg.App/Watch"');
  });

  it("counts components", () => {
    const metrics = metricsWith();
    metrics.components.loaded();
    metrics.components.initialized("state.redis");
    metrics.components.initFailed("state.redis", "init", "mystore");
    expect(samples(metrics)).toEqual([
      'dapr_runtime_component_init_fail_total{app_id="myapp",component="state.redis",componentName="mystore",reason="init"} 1',
      'dapr_runtime_component_init_total{app_id="myapp",component="state.redis"} 1',
      'dapr_runtime_component_loaded{app_id="myapp"} 1',
    ]);
  });

  it("counts error codes only when asked", () => {
    expect(metricsWith().errorCodes).toBeUndefined();
    const metrics = metricsWith({ recordErrorCodes: true });
    metrics.errorCodes?.record(apiError(commonErrors.badRequest, { reason: "x" }));
    expect(samples(metrics)).toEqual([
      'dapr_error_code_total{app_id="myapp",category="common",error_code="ERR_BAD_REQUEST"} 1',
    ]);
  });

  it("takes latency bounds from the Configuration", () => {
    const metrics = metricsWith({ latencyBucketsMs: [5, 50] });
    metrics.grpcServer.recordStream("/a/b", GRPC_STATUS.OK, 5);
    expect(metrics.registry.render().match(/le="[^"]+"} \d/g)).toEqual(['le="5"} 0', 'le="50"} 1', 'le="+Inf"} 1']);
  });

  it("tells about the process", () => {
    const facts = {
      residentBytes: () => 4096,
      virtualBytes: () => undefined,
      cpuSeconds: () => 1.5,
      openFds: () => 12,
      startSeconds: 1_700_000_000.5,
      heapUsedBytes: () => 3,
      heapTotalBytes: () => 4,
      externalBytes: () => 5,
      loopDelay: () => ({ mean: 0.001, p99: 0.01, max: 0.1 }),
      loopUtilization: () => 0.5,
    };
    const metrics = createRuntimeMetrics({
      appId: "a",
      namespace: "",
      settings: DEFAULT_METRICS_SETTINGS,
      logger: silentLogger,
      process: facts,
    });
    expect(samples(metrics)).toEqual([
      "nodejs_eventloop_lag_max_seconds 0.1",
      "nodejs_eventloop_lag_mean_seconds 0.001",
      "nodejs_eventloop_lag_p99_seconds 0.01",
      "nodejs_eventloop_utilization 0.5",
      "nodejs_external_memory_bytes 5",
      "nodejs_heap_size_total_bytes 4",
      "nodejs_heap_size_used_bytes 3",
      "process_cpu_seconds_total 1.5",
      "process_open_fds 12",
      "process_resident_memory_bytes 4096",
      "process_start_time_seconds 1.7000000005e+09",
    ]);
  });
});
