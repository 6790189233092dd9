import type { GrpcStatusCode } from "../errors/grpc-status.ts";
import type { CancelSignal } from "../kit/cancel-signal.ts";
import type { TraceContext, TraceSpan } from "../kit/trace-context.ts";
import type { Body, HeaderList } from "../net/http/types.ts";
import type { FailureStatus } from "../resiliency/types.ts";

/** `--app-protocol`. `in-process` is the embedded shape's function call. */
export type AppProtocol = "http" | "https" | "h2c" | "grpc" | "grpcs" | "in-process";

/** A call of an app's method, the same from every door, over the mesh and into the app. */
export interface InvokeCall {
  /** Canonical path, with a leading slash only where a gRPC caller wrote one; the same string feeds access control and dispatch. */
  readonly method: string;
  readonly verb: string;
  /** Query string without `?`; empty when there is none. */
  readonly query: string;
  /** HTTP headers of an HTTP-origin call, or gRPC metadata (binary values base64) of a gRPC-origin one. */
  readonly headers: HeaderList;
  /** The call's span: takes the place of what `headers` say of a trace. Absent: those go on as they are. */
  readonly trace?: TraceSpan | undefined;
  readonly origin: "http" | "grpc";
  readonly contentType: string;
  /** A stream is never buffered and never retried. */
  readonly body: Body;
  /** For gRPC-origin calls: the `google.protobuf.Any` type URL of the data, if any. */
  readonly typeUrl?: string | undefined;
  readonly signal?: CancelSignal | undefined;
  /** An app over HTTP/1.1 that is aborted may answer all the same, as `HttpRequest.halfCloses`. */
  readonly halfCloses?: boolean | undefined;
}

/** How the app answered: an HTTP status, or a gRPC status. */
export type InvokeStatus =
  | { readonly kind: "http"; readonly code: number }
  | {
      readonly kind: "grpc";
      readonly code: GrpcStatusCode;
      readonly message: string;
      readonly detailsBin?: Uint8Array | undefined;
    };

export interface InvokeReply {
  readonly status: InvokeStatus;
  readonly headers: HeaderList;
  readonly trailers: HeaderList;
  readonly contentType: string;
  readonly body: Body;
  readonly typeUrl?: string | undefined;
}

/** One routing rule of a subscription: the first whose CEL `match` is true wins; an empty match is the default. */
export interface SubscriptionRule {
  readonly match: string;
  readonly path: string;
}

/** A subscription as the app or a manifest declares it. */
export interface SubscriptionSpec {
  readonly pubsubName: string;
  readonly topic: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly rules: readonly SubscriptionRule[];
  readonly deadLetterTopic: string;
  readonly bulk: { readonly enabled: boolean; readonly maxMessagesCount: number; readonly maxAwaitDurationMs: number };
}

/** A topic event on its way to the app. `envelope` is the CloudEvent as JSON text, `fields` the same parsed. */
export interface TopicEvent {
  readonly pubsubName: string;
  readonly topic: string;
  readonly path: string;
  readonly envelope: Uint8Array;
  readonly fields: Readonly<Record<string, unknown>>;
  /** The subscription asked for raw payloads: the broker's bytes stand base64 in the envelope. Every app still gets `envelope`. */
  readonly rawPayload: boolean;
  readonly metadata: Readonly<Record<string, string>>;
}

/** One of the events of a bulk, with the broker's own words about it. */
export interface TopicBulkEntry {
  /** By which the app tells its answers apart. */
  readonly entryId: string;
  readonly event: TopicEvent;
  readonly contentType: string;
  /** The broker's, without what a single event gets on top. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** Events of one topic that go to one route of the app in one call. */
export interface TopicBulk {
  readonly id: string;
  readonly pubsubName: string;
  readonly topic: string;
  readonly path: string;
  readonly entries: readonly TopicBulkEntry[];
}

/**
 * What the app said: `retry` gives the message back to the broker, `drop` ends it (dead letter where there is one). The
 * texts are logged; `warning` is for a message that is acknowledged although the app did not take it.
 */
export type DeliveryOutcome =
  | { readonly kind: "success"; readonly warning?: string }
  | { readonly kind: "drop"; readonly reason: string; readonly severity?: "warn" | "error" }
  | {
      readonly kind: "retry";
      readonly reason: string;
      /** What the app answered with, for policies that match on it; absent where the answer has no code. */
      readonly status?: FailureStatus;
    };

/** An input binding as the app knows it: gRPC apps by its name, HTTP apps by its route. */
export interface InputBindingTarget {
  readonly name: string;
  readonly route: string;
}

/** An event of an input binding on its way to the app. */
export interface BindingEventCall extends InputBindingTarget {
  readonly data: Uint8Array;
  readonly metadata: Readonly<Record<string, string>>;
  /** Where the call stands in a trace; HTTP apps find it in the metadata. */
  readonly trace?: TraceContext | undefined;
}

/** State that the app wants saved after an event; `value` is JSON text from HTTP apps, any bytes from gRPC apps. */
export interface BindingStateItem {
  readonly key: string;
  readonly value: Uint8Array;
  readonly valueIsJson: boolean;
  readonly etag: string | undefined;
  readonly metadata: Readonly<Record<string, string>>;
  readonly concurrency: string;
  readonly consistency: string;
}

/** What the app said to a binding's event: its answer for the binding, and what it wants done. */
export interface BindingReply {
  readonly body: Uint8Array;
  /** Where `states` go. */
  readonly storeName: string;
  readonly states: readonly BindingStateItem[];
  /** Output bindings that get `data`, with operation `create`. */
  readonly to: readonly string[];
  readonly data: Uint8Array;
  readonly parallel: boolean;
}

/** A job is due. */
export interface JobEvent {
  readonly name: string;
  /** Bytes and the type that says what they are. */
  readonly data: { readonly typeUrl: string; readonly value: Uint8Array } | undefined;
  /** Where the call stands in a trace. */
  readonly trace?: TraceContext | undefined;
}

/** How a sidecar talks to its app, whatever the app speaks. */
export interface AppChannel {
  readonly protocol: AppProtocol;
  /** @throws AppUnreachableError when no answer came */
  invoke(call: InvokeCall): Promise<InvokeReply>;
  /** Programmatic subscriptions; empty when the app has none or does not implement the call. */
  listSubscriptions(signal: AbortSignal): Promise<readonly SubscriptionSpec[]>;
  deliver(event: TopicEvent, signal: CancelSignal): Promise<DeliveryOutcome>;
  /** Never rejects. @returns one outcome for each entry, in their order */
  deliverBulk(bulk: TopicBulk, signal: CancelSignal): Promise<readonly DeliveryOutcome[]>;
  /** Whether the app takes a binding's events: HTTP apps answer OPTIONS with 2xx or 405, gRPC apps list the binding. @throws Error when no answer came */
  takesBinding(target: InputBindingTarget, signal: AbortSignal): Promise<boolean>;
  /** @throws Error with the text of what went wrong, so that the binding gives the event back; AppAnswerError for an HTTP status */
  deliverBindingEvent(event: BindingEventCall, signal: CancelSignal): Promise<BindingReply>;
  /** @returns the gRPC code of the app's answer, also for an HTTP status. @throws Error when there is no answer to speak of */
  triggerJob(job: JobEvent, signal: CancelSignal): Promise<GrpcStatusCode>;
  /** One health probe. @returns why the app is not well, in Dapr's words; undefined when it is */
  probe(signal: AbortSignal): Promise<string | undefined>;
  close(): Promise<void>;
}
