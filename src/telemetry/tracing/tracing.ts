import type { Clock } from "../../kit/clock.ts";
import type { Logger } from "../../kit/logger.ts";
import type { Random } from "../../kit/random.ts";
import type { Tracer } from "../../kit/trace-context.ts";
import type { Transport } from "../../net/h2/transport.ts";
import { traceResource } from "./resource.ts";
import { samplerDescription, samplingRateOf } from "./sampler.ts";
import type { TracingSettings } from "./settings.ts";
import type { RecordedSpan, SpanSink } from "./span.ts";
import { type DropObserver, SpanBatcher, type SpanExporter } from "./span-batcher.ts";
import { PassingTracer, SamplingTracer } from "./tracers.ts";

/** The tracing of one run of a sidecar or a role. */
export interface Tracing {
  /** For the doors. Undefined: the sampling rate is 0, and headers pass through untouched. */
  readonly doors: Tracer | undefined;
  /** For what begins inside: undefined also where contexts are only passed on, which needs no spans. */
  readonly blocks: Tracer | undefined;
  /** Exports what is left and lets the back ends go. */
  close(): Promise<void>;
}

export interface TracingPorts {
  /** `service.name`, unless the environment says otherwise. */
  readonly serviceName: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly transport: Transport;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly observer?: DropObserver | undefined;
}

/** @throws TracingSettingsError or ParseResourceError for what cannot be used */
export async function openTracing(settings: TracingSettings, ports: TracingPorts): Promise<Tracing> {
  const rate = samplingRateOf(settings.samplingRate);
  ports.logger.info(`Dapr trace sampler initialized: ${samplerDescription(rate)}`);
  if (rate === 0) {
    return { doors: undefined, blocks: undefined, close: async () => {} };
  }
  const exporters = await openExporters(settings, ports);
  if (exporters.length === 0) {
    const blocks = settings.samplingRate === "" ? undefined : new SamplingTracer(rate, undefined, ports);
    return { doors: blocks ?? new PassingTracer(), blocks, close: async () => {} };
  }
  const batchers = exporters.map((exporter) => new SpanBatcher(exporter, ports));
  const tracer = new SamplingTracer(rate, new Batchers(batchers, ports.clock), ports);
  return {
    doors: tracer,
    blocks: tracer,
    close: async () => void (await Promise.all(batchers.map((batcher) => batcher.close()))),
  };
}

class Batchers implements SpanSink {
  readonly #batchers: readonly SpanBatcher[];
  readonly #clock: Clock;

  constructor(batchers: readonly SpanBatcher[], clock: Clock) {
    this.#batchers = batchers;
    this.#clock = clock;
  }

  spanEnded(span: RecordedSpan): void {
    span.endMs = this.#clock.monotonicMs();
    for (const batcher of this.#batchers) {
      batcher.add(span);
    }
  }
}

/** Each back end's code is loaded where one is configured. */
async function openExporters(settings: TracingSettings, ports: TracingPorts): Promise<readonly SpanExporter[]> {
  const { stdout, zipkinEndpoint, otlp } = settings;
  const { clock, logger, transport } = ports;
  const exporters: SpanExporter[] = [];
  if (stdout) {
    const { StdoutExporter } = await import("./stdout-exporter.ts");
    exporters.push(new StdoutExporter(logger, clock));
  }
  if (zipkinEndpoint === "" && otlp === undefined) {
    return exporters;
  }
  const resource = traceResource(ports.serviceName, ports.environment);
  if (zipkinEndpoint !== "") {
    const { ZipkinExporter } = await import("./zipkin-exporter.ts");
    exporters.push(new ZipkinExporter(zipkinEndpoint, resource, clock));
  }
  if (otlp === undefined) {
    return exporters;
  }
  const { readOtlpTls } = await import("./otlp-tls.ts");
  const tls = await readOtlpTls(otlp);
  if (otlp.protocol === "http") {
    const { OtlpHttpExporter } = await import("./otlp-http-exporter.ts");
    exporters.push(new OtlpHttpExporter(otlp, tls, resource, clock));
  } else {
    const { OtlpGrpcExporter } = await import("./otlp-grpc-exporter.ts");
    exporters.push(new OtlpGrpcExporter(otlp, tls, resource, clock, transport));
  }
  return exporters;
}
