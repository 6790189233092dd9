import type { MiddlewarePipeline } from "../components/spi/middleware.ts";
import type { Body, HttpClient, HttpRequest, HttpResponse } from "../net/http/types.ts";
import { discardBody } from "./body.ts";

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
  async request(request: HttpRequest): Promise<HttpResponse> {
    let answered: Body | undefined;
    let response: HttpResponse | undefined;
    try {
      response = await this.#pipeline.run(
        { ...request, remoteAddress: "", protocol: "HTTP/1.1", bodyBytesMax: this.#bodyBytesMax },
        async (passed) => {
          const answer = await this.#client.request(passed);
          answered = answer.body;
          return answer;
        },
      );
      return response;
    } finally {
      // A stream in its place is made of it; anything else leaves it to nobody, and its connection taken.
      if (answered !== undefined && (response === undefined || response.body instanceof Uint8Array)) {
        await discardBody(answered);
      }
    }
  }

  close(): Promise<void> {
    return this.#client.close();
  }
}
