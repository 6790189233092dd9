import { isIP } from "node:net";
import { GRPC_STATUS, type GrpcStatusCode } from "../../errors/grpc-status.ts";
import type { Clock } from "../../kit/clock.ts";
import { tls } from "../../kit/lazy-builtins.ts";
import { createGrpcClient } from "../../net/grpc/client.ts";
import { GrpcError } from "../../net/grpc/status.ts";
import type { GrpcClient, GrpcMethod } from "../../net/grpc/types.ts";
import type { Transport } from "../../net/h2/transport.ts";
import { epochOffsetMs } from "./epoch.ts";
import { EXPORT_TIMEOUT_MS } from "./limits.ts";
import { encodeExport } from "./otlp-encoding.ts";
import type { OtlpTls } from "./otlp-tls.ts";
import type { TraceResource } from "./resource.ts";
import type { OtlpSettings } from "./settings.ts";
import type { RecordedSpan } from "./span.ts";
import { ExportError, type SpanExporter } from "./span-batcher.ts";

/** Statuses that say: not now (OTLP specification, "Failures"). */
const RETRYABLE: ReadonlySet<GrpcStatusCode> = new Set([
  GRPC_STATUS.CANCELLED,
  GRPC_STATUS.DEADLINE_EXCEEDED,
  GRPC_STATUS.ABORTED,
  GRPC_STATUS.OUT_OF_RANGE,
  GRPC_STATUS.UNAVAILABLE,
  GRPC_STATUS.DATA_LOSS,
]);
/** Stands in the details of a status that says when to come again. */
const RETRY_INFO = "google.rpc.RetryInfo";

/** The answer holds nothing that anybody could act on. */
const exportTraces: GrpcMethod<Uint8Array, undefined> = {
  path: "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
  kind: "unary",
  encodeRequest: (message) => message,
  decodeRequest: (bytes) => bytes,
  encodeResponse: () => new Uint8Array(0),
  decodeResponse: () => undefined,
};

/** Port of OTLP over gRPC, where an endpoint names none. */
const DEFAULT_PORT = "4317";

/** OTLP over gRPC. */
export class OtlpGrpcExporter implements SpanExporter {
  readonly name: string;
  readonly #client: GrpcClient;
  readonly #timeoutMs: number;
  readonly #resource: TraceResource;
  readonly #clock: Clock;

  constructor(settings: OtlpSettings, own: OtlpTls, resource: TraceResource, clock: Clock, transport: Transport) {
    const { isSecure, headers, timeoutMs = EXPORT_TIMEOUT_MS } = settings;
    const host = settings.endpoint.replace(/\/.*$/, "");
    const address = /:\d+$/.test(host) ? host : `${host}:${DEFAULT_PORT}`;
    this.name = `otlp ${address}`;
    this.#client = createGrpcClient(transport, address, {
      headers: headers.flat(),
      ...(isSecure ? { scheme: "https", transport: { connect: () => secureSocket(address, own) } } : {}),
    });
    this.#timeoutMs = timeoutMs;
    this.#resource = resource;
    this.#clock = clock;
  }

  async export(spans: readonly RecordedSpan[]): Promise<void> {
    const request = encodeExport(spans, this.#resource, epochOffsetMs(this.#clock));
    try {
      await this.#client.unary(exportTraces, request, { timeoutMs: this.#timeoutMs });
    } catch (error) {
      throw isWorthRepeating(error) ? new ExportError(error.message, undefined, error) : error;
    }
  }

  close(): Promise<void> {
    return this.#client.close();
  }
}

/** Whether another attempt may go better. RESOURCE_EXHAUSTED may mean that the batch is too large, unless it says when to come again. */
export function isWorthRepeating(error: unknown): error is GrpcError {
  if (!GrpcError.is(error)) {
    return false;
  }
  return error.code === GRPC_STATUS.RESOURCE_EXHAUSTED
    ? Buffer.from(error.detailsBin ?? []).includes(RETRY_INFO)
    : RETRYABLE.has(error.code);
}

function secureSocket(address: string, own: OtlpTls): ReturnType<ReturnType<typeof tls>["connect"]> {
  const at = address.lastIndexOf(":");
  const host = address.slice(0, at).replace(/^\[|\]$/g, "");
  return tls().connect({
    ...own,
    host,
    port: Number(address.slice(at + 1)),
    ...(isIP(host) === 0 ? { servername: host } : {}),
    ALPNProtocols: ["h2"],
  });
}
