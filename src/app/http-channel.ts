import { GRPC_STATUS, type GrpcStatusCode } from "../errors/grpc-status.ts";
import type { CancelSignal } from "../kit/cancel-signal.ts";
import { goQuote } from "../kit/go-quote.ts";
import { GrpcError } from "../net/grpc/status.ts";
import type { HeaderList, HttpClient, HttpResponse } from "../net/http/types.ts";
import { decodedPath, splitTarget } from "../net/http/request-target.ts";
import { AppAnswerError } from "./app-answer-error.ts";
import { AppUnreachableError } from "./app-unreachable-error.ts";
import { bodyPrefix, collectBody, discardBody, ObservedBody } from "./body.ts";
import { cleanPath } from "./clean-path.ts";
import { httpBindingReply } from "./binding-reply.ts";
import { ConcurrencyLimit } from "./concurrency-limit.ts";
import { goErrorText } from "./go-error-text.ts";
import { grpcCodeOfHttpApp } from "./grpc-code-of-http.ts";
import { requestHeadersOf } from "./http-headers.ts";
import { addDeclaredLength, checkVerb, HttpRequester, replyOfResponse } from "./http-requester.ts";
import { methodTarget } from "./method-target.ts";
import type { AppChannelOptions } from "./options.ts";
import { PipelineClient } from "./pipeline-client.ts";
import { bulkEnvelope } from "./topic-bulk-envelope.ts";
import { allOf, interpretHttpBulkResponse } from "./topic-bulk-response.ts";
import { interpretHttpTopicResponse } from "./topic-response.ts";
import { parseHttpSubscriptions } from "./topic-subscriptions.ts";
import type {
  AppChannel,
  AppProtocol,
  BindingEventCall,
  BindingReply,
  DeliveryOutcome,
  InputBindingTarget,
  InvokeCall,
  InvokeReply,
  JobEvent,
  SubscriptionSpec,
  TopicBulk,
  TopicEvent,
} from "./types.ts";

/** Bytes of an answer to a topic event that are read for its status. */
const TOPIC_ANSWER_BYTES_MAX = 1024 * 1024;
/** Bytes of an answer to a trigger that are read, though nobody needs them, so that the connection can be used again. */
const JOB_ANSWER_BYTES_MAX = 64 * 1024;
/** Bytes of the list of subscriptions. */
const SUBSCRIPTIONS_BYTES_MAX = 4 * 1024 * 1024;

const NO_BYTES = new Uint8Array(0);

/** The message of an answer that daprd gives instead of calling an app that failed its health checks. */
export const APP_UNHEALTHY = "app is not in a healthy state";

/** An app that speaks HTTP/1.1, HTTPS or h2c, or an HTTP handler in our own process. */
export class HttpAppChannel implements AppChannel {
  readonly protocol: AppProtocol;
  /** Of all calls of the app but probes; whoever calls it in another way shares it. */
  readonly limit: ConcurrencyLimit | undefined;
  readonly #client: HttpClient;
  readonly #requester: HttpRequester;
  /** Past the pipeline. */
  readonly #prober: HttpRequester;
  readonly #options: AppChannelOptions;
  readonly #healthTarget: string;
  /** Loaded with the first job. */
  #jobBody: typeof import("./job-body.ts").jobBody | undefined;
  readonly #ownHeaders: HeaderList;

  constructor(protocol: AppProtocol, client: HttpClient, options: AppChannelOptions) {
    this.protocol = protocol;
    this.#client = client;
    const { address, clock, observer, pipeline } = options;
    this.#prober = new HttpRequester(client, address, clock, observer);
    this.#requester =
      pipeline === undefined
        ? this.#prober
        : new HttpRequester(new PipelineClient(client, pipeline, options.maxBodyBytes), address, clock, observer);
    this.#options = options;
    this.limit = options.maxConcurrency > 0 ? new ConcurrencyLimit(options.maxConcurrency) : undefined;
    this.#healthTarget = options.healthPath.startsWith("/") ? options.healthPath : `/${options.healthPath}`;
    this.#ownHeaders = options.appToken === "" ? [] : ["dapr-api-token", options.appToken];
  }

  async invoke(call: InvokeCall): Promise<InvokeReply> {
    checkVerb(call);
    const headers = requestHeadersOf(call, this.#options.appToken);
    addDeclaredLength(headers, call);
    return replyOfResponse(await this.#exchange(call, methodTarget(call.method, call.query), headers));
  }

  async listSubscriptions(signal: AbortSignal): Promise<readonly SubscriptionSpec[]> {
    const { logger, appId, initRetries } = this.#options;
    const call = this.#ownCall("GET", NO_BYTES, signal);
    const headers = [...this.#ownHeaders, "content-type", "application/json", "dapr-app-id", appId];
    const log = logger.scope("dapr.runtime.pubsub");
    const ask = (): Promise<HttpResponse> => this.#exchange(call, "/dapr/subscribe", headers);
    const response = await (initRetries === undefined ? ask() : initRetries.run(ask, { signal }));
    if (response.status !== 200) {
      await discardBody(response.body);
      if (response.status === 404) {
        log.debug("user app did not subscribe to any topic");
      } else {
        log.error(`app returned http status code ${response.status} from subscription endpoint`);
      }
      return [];
    }
    const { subscriptions, topicsWithoutRoute } = parseHttpSubscriptions(
      await collectBody(response.body, SUBSCRIPTIONS_BYTES_MAX),
    );
    for (const topic of topicsWithoutRoute) {
      log.warn(`topic ${topic} has an empty routes. removing from subscriptions list`);
    }
    return subscriptions;
  }

  async deliver(event: TopicEvent, signal: CancelSignal): Promise<DeliveryOutcome> {
    const call = this.#ownCall("POST", event.envelope, signal);
    const custom: string[] = [];
    for (const name in event.metadata) {
      custom.push(name, event.metadata[name] ?? "");
    }
    const headers = requestHeadersOf(
      { ...call, headers: custom, contentType: "application/cloudevents+json" },
      this.#options.appToken,
    );
    try {
      const response = await this.#exchange(call, topicTarget(event.path), headers);
      const body = await bodyPrefix(response.body, TOPIC_ANSWER_BYTES_MAX);
      return interpretHttpTopicResponse(response.status, body, event);
    } catch (error) {
      return {
        kind: "retry",
        reason: `error returned from app channel while sending pub/sub event to app: ${goErrorText(error)}`,
      };
    }
  }

  async deliverBulk(bulk: TopicBulk, signal: CancelSignal): Promise<readonly DeliveryOutcome[]> {
    const call = this.#ownCall("POST", bulkEnvelope(bulk), signal);
    const custom = ["pubsubName", bulk.pubsubName];
    const headers = requestHeadersOf(
      { ...call, headers: custom, contentType: "application/json" },
      this.#options.appToken,
    );
    try {
      const response = await this.#exchange(call, topicTarget(bulk.path), headers);
      const body = await bodyPrefix(response.body, TOPIC_ANSWER_BYTES_MAX);
      return interpretHttpBulkResponse(response.status, body, bulk, (entryId) => this.#warnOfEntry(entryId));
    } catch (error) {
      const reason = `error from app channel while sending pub/sub event to app: ${goErrorText(error)}`;
      return allOf(bulk, { kind: "retry", reason });
    }
  }

  async takesBinding({ route }: InputBindingTarget, signal: AbortSignal): Promise<boolean> {
    const headers = [...this.#ownHeaders, "content-type", "application/json"];
    try {
      const { status, body } = await this.#exchange(
        this.#ownCall("OPTIONS", NO_BYTES, signal),
        topicTarget(route),
        headers,
      );
      await discardBody(body);
      return (status >= 200 && status < 300) || status === 405;
    } catch (cause) {
      throw new Error(
        `could not invoke OPTIONS method on input binding subscription endpoint ${goQuote(route)}: ${goErrorText(cause)}`,
        { cause },
      );
    }
  }

  async deliverBindingEvent(event: BindingEventCall, signal: CancelSignal): Promise<BindingReply> {
    const call = this.#ownCall("POST", event.data, signal);
    const headers = requestHeadersOf(
      { ...call, headers: Object.entries(event.metadata).flat(), contentType: "application/json" },
      this.#options.appToken,
    );
    let response: HttpResponse;
    try {
      response = await this.#exchange(call, topicTarget(event.route), headers);
    } catch (cause) {
      throw new Error(`error invoking app: ${goErrorText(cause)}`, { cause });
    }
    const body = await collectBody(response.body, this.#options.maxBodyBytes);
    if (response.status < 200 || response.status > 299) {
      throw new AppAnswerError(
        `fails to send binding event to http app channel, status code: ${response.status} body: ${Buffer.from(body).toString()}`,
        { kind: "http", code: response.status },
      );
    }
    return httpBindingReply(body);
  }

  async triggerJob({ name, data, trace }: JobEvent, signal: CancelSignal): Promise<GrpcStatusCode> {
    this.#jobBody ??= (await import("./job-body.ts")).jobBody;
    const call = this.#ownCall("POST", this.#jobBody(data), signal);
    const headers = [...this.#ownHeaders, "content-type", "application/json"];
    if (trace !== undefined) {
      headers.push("traceparent", trace.traceparent);
    }
    const { status, body } = await this.#exchange(call, methodTarget(`job/${name.replace(/^\//, "")}`, ""), headers);
    await bodyPrefix(body, JOB_ANSWER_BYTES_MAX);
    return grpcCodeOfHttpApp(status);
  }

  async probe(signal: AbortSignal): Promise<string | undefined> {
    const response = await this.#prober.probe({
      method: "GET",
      target: this.#healthTarget,
      headers: [],
      body: NO_BYTES,
      signal,
    });
    if (response instanceof AppUnreachableError) {
      return `Network error: ${response.message}`;
    }
    await discardBody(response.body);
    const { status } = response;
    return status >= 200 && status < 300 ? undefined : `Health check failed with status code: ${status}`;
  }

  close(): Promise<void> {
    return this.#client.close();
  }

  #ownCall(verb: string, body: Uint8Array, signal: CancelSignal): InvokeCall {
    return { method: "", verb, query: "", headers: [], origin: "http", contentType: "", body, signal };
  }

  /** One exchange within the concurrency limit; the slot is held until the answer's body is over. */
  async #exchange(call: InvokeCall, target: string, headers: HeaderList): Promise<HttpResponse> {
    if (this.#options.isHealthy?.() === false) {
      throw new GrpcError(GRPC_STATUS.INTERNAL, APP_UNHEALTHY);
    }
    const { limit } = this;
    if (limit === undefined) {
      return await this.#request(call, target, headers);
    }
    await limit.acquire(call.signal);
    try {
      const response = await this.#request(call, target, headers);
      if (response.body instanceof Uint8Array) {
        limit.release();
        return response;
      }
      return { ...response, body: new ObservedBody(response.body, () => limit.release()) };
    } catch (error) {
      limit.release();
      throw error;
    }
  }

  #warnOfEntry(entryId: string): void {
    this.#options.logger
      .scope("dapr.runtime.processor.subscription")
      .warn(`Invalid entry id received from app while processing pub/sub event ${entryId}`);
  }

  #request(call: InvokeCall, target: string, headers: HeaderList): Promise<HttpResponse> {
    const { verb, body, signal, halfCloses } = call;
    const path = call.method === "" ? decodedPath(target) : call.method;
    return this.#requester.request({ method: verb, target, headers, body, signal, halfCloses }, path);
  }
}

/** A route may hold a query of its own. */
function topicTarget(route: string): string {
  const { path, query } = splitTarget(route);
  return methodTarget(cleanPath(path), query);
}
