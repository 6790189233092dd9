import type { Clock } from "../../kit/clock.ts";
import { createHttpClient } from "../../net/http/client.ts";
import type { HttpClient } from "../../net/http/types.ts";
import { epochOffsetMs } from "./epoch.ts";
import { postTraces } from "./http-post.ts";
import { EXPORT_TIMEOUT_MS } from "./limits.ts";
import { encodeExport } from "./otlp-encoding.ts";
import type { OtlpTls } from "./otlp-tls.ts";
import type { TraceResource } from "./resource.ts";
import type { OtlpSettings } from "./settings.ts";
import type { RecordedSpan } from "./span.ts";
import type { SpanExporter } from "./span-batcher.ts";

const TRACES_PATH = "/v1/traces";

/** OTLP over HTTP, binary protobuf: `POST <endpoint>/v1/traces`. */
export class OtlpHttpExporter implements SpanExporter {
  readonly name: string;
  readonly #client: HttpClient;
  readonly #target: string;
  readonly #headers: readonly string[];
  readonly #timeoutMs: number;
  readonly #resource: TraceResource;
  readonly #clock: Clock;

  constructor(settings: OtlpSettings, tls: OtlpTls, resource: TraceResource, clock: Clock) {
    const { endpoint, isSecure, headers, timeoutMs = EXPORT_TIMEOUT_MS } = settings;
    const slash = endpoint.indexOf("/");
    const path = slash === -1 ? "" : endpoint.slice(slash).replace(/\/+$/, "");
    const origin = `${isSecure ? "https" : "http"}://${slash === -1 ? endpoint : endpoint.slice(0, slash)}`;
    this.name = `otlp ${origin}`;
    this.#client = createHttpClient(origin, { connectionsMax: 1, ...tls });
    this.#target = path.endsWith(TRACES_PATH) ? path : path + TRACES_PATH;
    this.#headers = ["content-type", "application/x-protobuf", ...headers.flat()];
    this.#timeoutMs = timeoutMs;
    this.#resource = resource;
    this.#clock = clock;
  }

  async export(spans: readonly RecordedSpan[]): Promise<void> {
    const body = encodeExport(spans, this.#resource, epochOffsetMs(this.#clock));
    const post = { target: this.#target, headers: this.#headers, body, timeoutMs: this.#timeoutMs };
    await postTraces(this.#client, post, this.#clock);
  }

  close(): Promise<void> {
    return this.#client.close();
  }
}
