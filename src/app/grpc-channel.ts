import { create } from "@bufbuild/protobuf";
import { EmptySchema } from "@bufbuild/protobuf/wkt";
import { GRPC_STATUS, type GrpcStatusCode } from "../errors/grpc-status.ts";
import type { CancelSignal } from "../kit/cancel-signal.ts";
import { errorMessage } from "../kit/error-message.ts";
import type { TraceContext } from "../kit/trace-context.ts";
import { HeaderMetadata } from "../net/grpc/metadata.ts";
import { methodsOf } from "../net/grpc/protobuf.ts";
import { GrpcError } from "../net/grpc/status.ts";
import type { CallOptions, GrpcClient } from "../net/grpc/types.ts";
import {
  HTTPExtension_Verb,
  InvokeRequestSchema,
  type InvokeResponse,
} from "../wire/gen/dapr/proto/common/v1/common_pb.js";
import {
  AppCallback,
  AppCallbackAlpha,
  AppCallbackHealthCheck,
  type BindingEventRequest,
  type TopicEventBulkRequest,
  type TopicEventBulkResponse,
} from "../wire/gen/dapr/proto/runtime/v1/appcallback_pb.js";
import { grpcBindingReply } from "./binding-reply.ts";
import { collectBody } from "./body.ts";
import { ConcurrencyLimit } from "./concurrency-limit.ts";
import { goErrorText } from "./go-error-text.ts";
import { metadataHeadersOf } from "./grpc-metadata.ts";
import { APP_UNHEALTHY } from "./http-channel.ts";
import { jobEventRequest } from "./job-event.ts";
import { metadataList } from "./metadata-list.ts";
import type { AppChannelOptions } from "./options.ts";
import { topicBulkRequest } from "./topic-bulk-request.ts";
import { allOf, grpcBulkStatus, interpretBulkStatuses } from "./topic-bulk-response.ts";
import { topicEventRequest } from "./topic-event-request.ts";
import { interpretGrpcTopicError, interpretGrpcTopicResponse } from "./topic-response.ts";
import { fromGrpcSubscriptions } from "./topic-subscriptions.ts";
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

const NO_BYTES = new Uint8Array(0);
const callback = methodsOf(AppCallback);
const alpha = methodsOf(AppCallbackAlpha);
const health = methodsOf(AppCallbackHealthCheck);

/** An app that serves `dapr.proto.runtime.v1.AppCallback`. */
export class GrpcAppChannel implements AppChannel {
  readonly protocol: AppProtocol;
  /** Of all calls of the app but probes; whoever calls it in another way shares it. */
  readonly limit: ConcurrencyLimit | undefined;
  readonly #client: GrpcClient;
  readonly #options: AppChannelOptions;

  constructor(protocol: AppProtocol, client: GrpcClient, options: AppChannelOptions) {
    this.protocol = protocol;
    this.#client = client;
    this.#options = options;
    this.limit = options.maxConcurrency > 0 ? new ConcurrencyLimit(options.maxConcurrency) : undefined;
  }

  /** Calls `OnInvoke`. Also a call that never reached the app resolves, with the status that gRPC gave it, as with daprd. */
  async invoke(call: InvokeCall): Promise<InvokeReply> {
    this.#refuseUnhealthy();
    const { limit } = this;
    await limit?.acquire(call.signal);
    try {
      return await this.#onInvoke(call);
    } finally {
      limit?.release();
    }
  }

  async listSubscriptions(signal: AbortSignal): Promise<readonly SubscriptionSpec[]> {
    const { logger, initRetries } = this.#options;
    const ask = (): Promise<readonly SubscriptionSpec[]> => this.#askForSubscriptions(signal);
    try {
      return await (initRetries === undefined ? ask() : initRetries.run(ask, { signal }));
    } catch (error) {
      logger.scope("dapr.runtime.pubsub").error(`error getting topic list from app: ${errorMessage(error)}`);
      throw error;
    }
  }

  async #askForSubscriptions(signal: AbortSignal): Promise<readonly SubscriptionSpec[]> {
    const options = this.#callOptions([], signal);
    try {
      const { response } = await this.#client.unary(callback.listTopicSubscriptions, create(EmptySchema), options);
      return fromGrpcSubscriptions(response);
    } catch (error) {
      if (GrpcError.is(error) && error.code === GRPC_STATUS.UNIMPLEMENTED) {
        this.#options.logger
          .scope("dapr.runtime.pubsub")
          .info("pubsub subscriptions: gRPC app does not implement ListTopicSubscriptions");
        return [];
      }
      throw error;
    }
  }

  async deliver(event: TopicEvent, signal: CancelSignal): Promise<DeliveryOutcome> {
    const request = topicEventRequest(event);
    const custom: string[] = [];
    for (const name in event.metadata) {
      custom.push(name.toLowerCase(), event.metadata[name] ?? "");
    }
    const { limit } = this;
    await limit?.acquire(signal);
    try {
      const { response } = await this.#client.unary(callback.onTopicEvent, request, this.#callOptions(custom, signal));
      return interpretGrpcTopicResponse(response.status, event);
    } catch (error) {
      if (GrpcError.is(error)) {
        return interpretGrpcTopicError(error.code, error.message, event);
      }
      throw error;
    } finally {
      limit?.release();
    }
  }

  async deliverBulk(bulk: TopicBulk, signal: CancelSignal): Promise<readonly DeliveryOutcome[]> {
    const log = this.#options.logger.scope("dapr.runtime.processor.subscription");
    const { limit } = this;
    try {
      const request = topicBulkRequest(bulk);
      await limit?.acquire(signal);
      try {
        const { statuses } = await this.#onBulkTopicEvent(request, signal);
        return interpretBulkStatuses(
          statuses.map(({ entryId, status }) => grpcBulkStatus(entryId, status)),
          bulk,
          (entryId) => log.warn(`Invalid entry id received from app while processing pub/sub event ${entryId}`),
        );
      } finally {
        limit?.release();
      }
    } catch (error) {
      const text = goErrorText(error);
      if (GrpcError.is(error) && error.code === GRPC_STATUS.UNIMPLEMENTED) {
        const warning = `non-retriable error returned from app while processing bulk pub/sub event: ${text}`;
        return allOf(bulk, { kind: "success", warning });
      }
      const reason = `error returned from app while processing bulk pub/sub event: ${text}`;
      const status = GrpcError.is(error) ? { status: { kind: "grpc", code: error.code } as const } : {};
      return allOf(bulk, { kind: "retry", reason, ...status });
    }
  }

  /** An app that does not answer takes none, as with daprd. */
  async takesBinding({ name }: InputBindingTarget, signal: AbortSignal): Promise<boolean> {
    try {
      const options = this.#callOptions([], signal);
      const { response } = await this.#client.unary(callback.listInputBindings, create(EmptySchema), options);
      return response.bindings.includes(name);
    } catch (error) {
      this.#options.logger
        .scope("dapr.runtime.processor.binding")
        .debug(`the app lists no input bindings: ${goErrorText(error)}`);
      return false;
    }
  }

  async deliverBindingEvent(
    { name, data, metadata, trace }: BindingEventCall,
    signal: CancelSignal,
  ): Promise<BindingReply> {
    const request: BindingEventRequest = {
      $typeName: "dapr.proto.runtime.v1.BindingEventRequest",
      name,
      data,
      metadata,
    };
    const { limit } = this;
    await limit?.acquire(signal);
    try {
      const { response } = await this.#client.unary(
        callback.onBindingEvent,
        request,
        this.#callOptions(traceHeaders(trace), signal),
      );
      return grpcBindingReply(response);
    } catch (cause) {
      throw new Error(`error invoking app: ${goErrorText(cause)}`, { cause });
    } finally {
      limit?.release();
    }
  }

  /** Every status is an answer, also that of an app that cannot be reached, as with daprd. */
  async triggerJob(job: JobEvent, signal: CancelSignal): Promise<GrpcStatusCode> {
    this.#refuseUnhealthy();
    const { limit } = this;
    await limit?.acquire(signal);
    try {
      await this.#onJobEvent(job, signal);
      return GRPC_STATUS.OK;
    } catch (error) {
      if (GrpcError.is(error)) {
        return error.code;
      }
      throw error;
    } finally {
      limit?.release();
    }
  }

  async probe(signal: AbortSignal): Promise<string | undefined> {
    try {
      await this.#client.unary(health.healthCheck, create(EmptySchema), { signal });
      return undefined;
    } catch (error) {
      return `Health check failed: ${goErrorText(error)}`;
    }
  }

  close(): Promise<void> {
    return this.#client.close();
  }

  /** Apps older than `OnBulkTopicEvent` have its first version. */
  async #onBulkTopicEvent(request: TopicEventBulkRequest, signal: CancelSignal): Promise<TopicEventBulkResponse> {
    const options = this.#callOptions(["pubsubname", request.pubsubName], signal);
    try {
      return (await this.#client.unary(callback.onBulkTopicEvent, request, options)).response;
    } catch (error) {
      if (!GrpcError.is(error) || error.code !== GRPC_STATUS.UNIMPLEMENTED) {
        throw error;
      }
      // oxlint-disable-next-line typescript/no-deprecated -- deprecated for apps, and what older ones have
      return (await this.#client.unary(alpha.onBulkTopicEventAlpha1, request, options)).response;
    }
  }

  /** Apps older than `OnJobEvent` have its first version. */
  async #onJobEvent(job: JobEvent, signal: CancelSignal): Promise<void> {
    const request = jobEventRequest(job);
    const options = this.#callOptions(traceHeaders(job.trace), signal);
    try {
      await this.#client.unary(callback.onJobEvent, request, options);
    } catch (error) {
      if (!GrpcError.is(error) || error.code !== GRPC_STATUS.UNIMPLEMENTED) {
        throw error;
      }
      // oxlint-disable-next-line typescript/no-deprecated -- deprecated for apps, and what older ones have
      await this.#client.unary(alpha.onJobEventAlpha1, request, options);
    }
  }

  async #onInvoke(call: InvokeCall): Promise<InvokeReply> {
    const value = await collectBody(call.body, this.#options.maxBodyBytes);
    const request = create(InvokeRequestSchema, {
      method: call.method,
      data: { value, typeUrl: call.typeUrl ?? "" },
      contentType: call.contentType,
      ...(call.verb === "" ? {} : { httpExtension: { verb: verbOf(call.verb), querystring: call.query } }),
    });
    const options = this.#callOptions(metadataHeadersOf(call.headers, call.origin === "http", call.trace), call.signal);
    try {
      const { response, headers, trailers } = await this.#client.unary(callback.onInvoke, request, options);
      return replyOf(response, metadataList(headers), metadataList(trailers));
    } catch (error) {
      if (!GrpcError.is(error)) {
        throw error;
      }
      return {
        status: { kind: "grpc", code: error.code, message: error.message, detailsBin: error.detailsBin },
        headers: metadataList(undefined),
        trailers: metadataList(error.metadata),
        contentType: "",
        body: NO_BYTES,
      };
    }
  }

  #callOptions(headers: string[], signal: CancelSignal | undefined): CallOptions {
    const { appToken } = this.#options;
    if (appToken === "") {
      return { metadata: new HeaderMetadata(headers), signal };
    }
    const metadata = new HeaderMetadata(headers);
    metadata.set("dapr-api-token", appToken);
    return { metadata, signal };
  }

  #refuseUnhealthy(): void {
    if (this.#options.isHealthy?.() === false) {
      throw new GrpcError(GRPC_STATUS.INTERNAL, APP_UNHEALTHY);
    }
  }
}

function traceHeaders(trace: TraceContext | undefined): string[] {
  return trace === undefined ? [] : metadataHeadersOf([], false, trace);
}

function replyOf(response: InvokeResponse, headers: string[], trailers: string[]): InvokeReply {
  return {
    status: { kind: "grpc", code: GRPC_STATUS.OK, message: "" },
    headers,
    trailers,
    contentType: response.contentType,
    body: response.data?.value ?? NO_BYTES,
    typeUrl: response.data?.typeUrl,
  };
}

/** Verbs that the message has no number for travel as POST. */
function verbOf(verb: string): HTTPExtension_Verb {
  return (
    (HTTPExtension_Verb as unknown as Readonly<Record<string, HTTPExtension_Verb | undefined>>)[verb] ??
    HTTPExtension_Verb.POST
  );
}
