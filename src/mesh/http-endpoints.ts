import { ObservedBody } from "../app/body.ts";
import type { InvokeCall, InvokeReply } from "../app/types.ts";
import { GRPC_STATUS } from "../errors/grpc-status.ts";
import type { HttpEndpoint } from "../inventory/http-endpoint.ts";
import { GrpcError } from "../net/grpc/status.ts";
import type { InvocationMetrics } from "../telemetry/metrics/invocation-metrics.ts";
import { checkEndpointTls } from "./endpoint-tls.ts";
import { HttpEndpointClient, type HttpEndpointPorts } from "./http-endpoint-client.ts";
import { URL_CLIENTS_MAX } from "./limits.ts";

export interface HttpEndpointsOptions extends HttpEndpointPorts {
  readonly metrics?: Pick<InvocationMetrics, "requestSent" | "answerReceived"> | undefined;
}

interface NamedEndpoint {
  readonly endpoint: HttpEndpoint;
  /** Made with the first call: a base URL that is none is an error of the calls, not of the start. */
  used: UsedClient | undefined;
}

interface UsedClient {
  readonly client: HttpEndpointClient;
  calls: number;
}

/** Calls of HTTP servers that have no sidecar: HTTPEndpoint resources by name, and any other by its URL. */
export class HttpEndpoints {
  readonly #options: HttpEndpointsOptions;
  readonly #byName = new Map<string, NamedEndpoint>();
  /** The least recently used first. */
  readonly #byUrl = new Map<string, UsedClient>();
  /** Of endpoints that have been replaced or removed: they have calls under way. */
  readonly #leaving = new Set<UsedClient>();

  constructor(options: HttpEndpointsOptions) {
    this.#options = options;
  }

  /**
   * Takes an endpoint that is called by its name from now on, in place of an earlier one of that name, whose calls end there.
   * @throws Error with Dapr's text for certificates that cannot be used
   */
  load(endpoint: HttpEndpoint): void {
    checkEndpointTls(endpoint);
    this.#leave(endpoint.name);
    this.#byName.set(endpoint.name, { endpoint, used: undefined });
  }

  /** The name means an app from now on; calls under way end at the endpoint. */
  unload(name: string): void {
    this.#leave(name);
    this.#byName.delete(name);
  }

  #leave(name: string): void {
    const used = this.#byName.get(name)?.used;
    if (used !== undefined) {
      this.#leaving.add(used);
      this.#closeIdle(used);
    }
  }

  #closeIdle(used: UsedClient): void {
    if (used.calls === 0 && this.#leaving.delete(used)) {
      void used.client.close();
    }
  }

  /** The base URL of an endpoint, undefined when there is none of that name. */
  baseUrlOf(name: string): string | undefined {
    return this.#byName.get(name)?.endpoint.baseUrl;
  }

  /**
   * @param target name of an endpoint, or an `http://` or `https://` URL
   * @throws AppUnreachableError when no answer came; Error for a URL that is none
   */
  async invoke(target: string, call: InvokeCall): Promise<InvokeReply> {
    const { metrics, clock } = this.#options;
    metrics?.requestSent(target);
    const startMs = clock.monotonicMs();
    const reply = await this.#call(target, call);
    metrics?.answerReceived(target, reply.status.code, clock.monotonicMs() - startMs);
    return reply;
  }

  async close(): Promise<void> {
    const named = Array.from(this.#byName.values(), ({ used }) => used).filter((used) => used !== undefined);
    const clients = [...named, ...this.#byUrl.values(), ...this.#leaving];
    this.#byName.clear();
    this.#byUrl.clear();
    this.#leaving.clear();
    await Promise.all(clients.map(({ client }) => client.close()));
  }

  async #call(target: string, call: InvokeCall): Promise<InvokeReply> {
    const named = this.#byName.get(target);
    if (named !== undefined) {
      named.used ??= { client: this.#clientOf(named.endpoint), calls: 0 };
    }
    const used = named?.used ?? this.#urlClient(target);
    used.calls += 1;
    const release = (): void => {
      used.calls -= 1;
      this.#closeIdle(used);
    };
    try {
      const reply = await used.client.invoke(call);
      if (!(reply.body instanceof Uint8Array)) {
        return { ...reply, body: new ObservedBody(reply.body, release) };
      }
      release();
      return reply;
    } catch (error) {
      release();
      throw error;
    }
  }

  #urlClient(baseUrl: string): UsedClient {
    const known = this.#byUrl.get(baseUrl);
    if (known !== undefined) {
      this.#byUrl.delete(baseUrl);
      this.#byUrl.set(baseUrl, known);
      return known;
    }
    const opened = { client: this.#clientOf({ name: baseUrl, baseUrl, headers: [], tls: undefined }), calls: 0 };
    if (this.#byUrl.size >= URL_CLIENTS_MAX) {
      this.#makeRoom();
    }
    this.#byUrl.set(baseUrl, opened);
    return opened;
  }

  #makeRoom(): void {
    for (const [url, { client, calls }] of this.#byUrl) {
      if (calls === 0) {
        this.#byUrl.delete(url);
        void client.close();
        return;
      }
    }
    throw new GrpcError(
      GRPC_STATUS.RESOURCE_EXHAUSTED,
      `calls of ${URL_CLIENTS_MAX} URLs are under way already; an HTTPEndpoint resource for a URL takes it out of this limit`,
    );
  }

  #clientOf(endpoint: HttpEndpoint): HttpEndpointClient {
    return new HttpEndpointClient(endpoint, this.#options);
  }
}
