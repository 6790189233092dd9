import { Buffer } from "node:buffer";
import type { Clock } from "../../kit/clock.ts";
import { createHttpClient } from "../../net/http/client.ts";
import type { HttpClient } from "../../net/http/types.ts";
import { epochOffsetMs } from "./epoch.ts";
import { postTraces } from "./http-post.ts";
import { EXPORT_TIMEOUT_MS } from "./limits.ts";
import type { TraceResource } from "./resource.ts";
import { TracingSettingsError } from "./settings.ts";
import type { RecordedSpan } from "./span.ts";
import type { SpanExporter } from "./span-batcher.ts";
import { encodeZipkin } from "./zipkin-encoding.ts";

const HEADERS = ["content-type", "application/json"];

/** Zipkin's collector, or whatever speaks its API. */
export class ZipkinExporter implements SpanExporter {
  readonly name: string;
  readonly #client: HttpClient;
  readonly #target: string;
  readonly #resource: TraceResource;
  readonly #clock: Clock;

  /** @throws TracingSettingsError for an endpoint that is no URL */
  constructor(endpoint: string, resource: TraceResource, clock: Clock) {
    if (!/^https?:\/\//.test(endpoint) || !URL.canParse(endpoint)) {
      throw new TracingSettingsError(
        `spec.tracing.zipkin.endpointAddress "${endpoint}" is no URL; it looks like http://zipkin:9411/api/v2/spans`,
      );
    }
    const url = new URL(endpoint);
    this.name = `zipkin ${url.origin}`;
    this.#client = createHttpClient(url.origin, { connectionsMax: 1 });
    this.#target = url.pathname + url.search;
    this.#resource = resource;
    this.#clock = clock;
  }

  async export(spans: readonly RecordedSpan[]): Promise<void> {
    const body = Buffer.from(encodeZipkin(spans, this.#resource, epochOffsetMs(this.#clock)));
    const post = { target: this.#target, headers: HEADERS, body, timeoutMs: EXPORT_TIMEOUT_MS };
    await postTraces(this.#client, post, this.#clock);
  }

  close(): Promise<void> {
    return this.#client.close();
  }
}
