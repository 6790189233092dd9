import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createSecureServer } from "node:https";
import type { AddressInfo } from "node:net";
import { fromBinary } from "@bufbuild/protobuf";
import { Server, ServerCredentials, type sendUnaryData, type ServerUnaryCall } from "@grpc/grpc-js";
import {
  ExportTraceServiceRequestSchema,
  ExportTraceServiceResponseSchema,
} from "../../src/wire/gen/opentelemetry/proto/collector/trace/v1/trace_service_pb.js";
import { toBinary, create } from "@bufbuild/protobuf";
import type { Span } from "../../src/wire/gen/opentelemetry/proto/trace/v1/trace_pb.js";

/** One span as a collector sees it, whichever way it came. Ids are hexadecimal digits. */
export interface CollectedSpan {
  readonly via: "grpc" | "http" | "zipkin";
  readonly service: string;
  readonly traceId: string;
  readonly spanId: string;
  /** Empty: the trace begins here. */
  readonly parentId: string;
  readonly name: string;
  readonly kind: string;
  readonly attributes: Readonly<Record<string, string>>;
  /** Span ids. */
  readonly links: readonly string[];
  /** Undefined: nothing was said about success. */
  readonly failure: string | undefined;
  readonly startUs: number;
  readonly durationUs: number;
}

/** Receivers of OTLP over gRPC (on grpc-js) and HTTP, and of Zipkin's API, that keep what they were sent. */
export interface TraceCollector extends AsyncDisposable {
  readonly grpcPort: number;
  /** Also Zipkin's. */
  readonly httpPort: number;
  readonly spans: readonly CollectedSpan[];
  /** Metadata and headers of every request, lower-case names. */
  readonly headers: readonly Readonly<Record<string, string>>[];
  /** Statuses that the next requests by HTTP are answered with. */
  readonly refusals: number[];
}

const KINDS = ["", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"];

/** @param tls PEM; absent: plain text */
export async function startTraceCollector(tls?: {
  readonly cert: string;
  readonly key: string;
}): Promise<TraceCollector> {
  const spans: CollectedSpan[] = [];
  const headers: Record<string, string>[] = [];
  const refusals: number[] = [];
  const takeOtlp = (via: "grpc" | "http", bytes: Uint8Array): void => void spans.push(...otlpSpans(via, bytes));
  const grpc = new Server();
  const same = (bytes: Buffer): Buffer => bytes;
  const definition = {
    path: "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
    requestStream: false,
    responseStream: false,
    requestSerialize: same,
    requestDeserialize: same,
    responseSerialize: same,
    responseDeserialize: same,
  };
  const handle = (call: ServerUnaryCall<Buffer, Buffer>, answer: sendUnaryData<Buffer>): void => {
    headers.push(
      Object.fromEntries(Object.entries(call.metadata.getMap()).map(([key, value]) => [key, String(value)])),
    );
    takeOtlp("grpc", call.request);
    answer(null, Buffer.from(toBinary(ExportTraceServiceResponseSchema, create(ExportTraceServiceResponseSchema))));
  };
  grpc.addService({ export: definition }, { export: handle });
  const grpcPort = await new Promise<number>((resolve, reject) => {
    const secured =
      tls === undefined
        ? ServerCredentials.createInsecure()
        : ServerCredentials.createSsl(null, [{ cert_chain: Buffer.from(tls.cert), private_key: Buffer.from(tls.key) }]);
    grpc.bindAsync("127.0.0.1:0", secured, (error, port) => (error === null ? resolve(port) : reject(error)));
  });
  const http = tls === undefined ? createServer() : createSecureServer({ cert: tls.cert, key: tls.key });
  http.on("request", (request: IncomingMessage, response: ServerResponse) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      headers.push(request.headers as Record<string, string>);
      const refusal = refusals.shift();
      if (refusal !== undefined) {
        response.writeHead(refusal).end();
        return;
      }
      const body = Buffer.concat(chunks);
      if (request.url === "/v1/traces") {
        takeOtlp("http", body);
        response.writeHead(200, { "content-type": "application/x-protobuf" }).end();
      } else if (request.url === "/api/v2/spans") {
        spans.push(...(JSON.parse(body.toString()) as ZipkinSpan[]).map(zipkinSpan));
        response.writeHead(202).end();
      } else {
        response.writeHead(404).end();
      }
    });
  });
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  return {
    grpcPort,
    httpPort: (http.address() as AddressInfo).port,
    spans,
    headers,
    refusals,
    async [Symbol.asyncDispose]() {
      grpc.forceShutdown();
      http.closeAllConnections();
      await new Promise((resolve) => http.close(resolve));
    },
  };
}

function otlpSpans(via: "grpc" | "http", bytes: Uint8Array): CollectedSpan[] {
  const { resourceSpans } = fromBinary(ExportTraceServiceRequestSchema, bytes);
  return resourceSpans.flatMap(({ resource, scopeSpans }) => {
    const service = textsOf(resource?.attributes ?? [])["service.name"] ?? "";
    return scopeSpans.flatMap((scope) => scope.spans.map((span) => otlpSpan(via, service, span)));
  });
}

function otlpSpan(via: "grpc" | "http", service: string, span: Span): CollectedSpan {
  return {
    via,
    service,
    traceId: hex(span.traceId),
    spanId: hex(span.spanId),
    parentId: hex(span.parentSpanId),
    name: span.name,
    kind: KINDS[span.kind] ?? "",
    attributes: textsOf(span.attributes),
    links: span.links.map((link) => hex(link.spanId)),
    failure: span.status?.code === 2 ? span.status.message : undefined,
    startUs: Number(span.startTimeUnixNano / 1000n),
    durationUs: Number((span.endTimeUnixNano - span.startTimeUnixNano) / 1000n),
  };
}

function textsOf(attributes: Span["attributes"]): Record<string, string> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, textOf(value)]));
}

function textOf(value: Span["attributes"][number]["value"]): string {
  const { value: plain } = value?.value ?? {};
  return typeof plain === "object" ? JSON.stringify(plain) : String(plain);
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

interface ZipkinSpan {
  readonly traceId: string;
  readonly id: string;
  readonly parentId?: string;
  readonly name: string;
  readonly kind?: string;
  readonly timestamp: number;
  readonly duration: number;
  readonly localEndpoint: { readonly serviceName: string };
  readonly tags: Readonly<Record<string, string>>;
}

function zipkinSpan(span: ZipkinSpan): CollectedSpan {
  return {
    via: "zipkin",
    service: span.localEndpoint.serviceName,
    traceId: span.traceId,
    spanId: span.id,
    parentId: span.parentId ?? "",
    name: span.name,
    kind: span.kind ?? "",
    attributes: span.tags,
    links: [],
    failure: span.tags["error"],
    startUs: span.timestamp,
    durationUs: span.duration,
  };
}
