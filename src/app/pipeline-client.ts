import type { MiddlewarePipeline } from "../components/spi/middleware.ts";
import type { HttpClient, HttpRequest, HttpResponse } from "../net/http/types.ts";

/** An HTTP client behind `spec.appHttpPipeline`: what middlewares make of a request is what the server gets. */
export class PipelineClient implements HttpClient {
  readonly #client: HttpClient;
  readonly #pipeline: MiddlewarePipeline;
  readonly #bodyBytesMax: number;

  /** @param bodyBytesMax what a middleware may hold of a body; 0: no limit */
  constructor(client: HttpClient, pipeline: MiddlewarePipeline, bodyBytesMax: number) {
    this.#client = client;
    this.#pipeline = pipeline;
    this.#bodyBytesMax = bodyBytesMax;
  }

  /** @throws what the client throws, or a middleware */
  request(request: HttpRequest): Promise<HttpResponse> {
    return this.#pipeline.run(
      { ...request, remoteAddress: "", protocol: "HTTP/1.1", bodyBytesMax: this.#bodyBytesMax },
      (passed) => this.#client.request(passed),
    );
  }

  close(): Promise<void> {
    return this.#client.close();
  }
}
