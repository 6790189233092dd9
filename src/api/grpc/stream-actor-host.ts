import {
  ActorAppError,
  type ActorHost,
  type ActorMethodCall,
  type ActorReply,
  type ActorTick,
  DeactivationError,
  TicksCancelledError,
} from "../../app/actor-host.ts";
import { GRPC_STATUS } from "../../errors/grpc-status.ts";
import type { CancelSignal } from "../../kit/cancel-signal.ts";
import { namesTrace } from "../../kit/trace-context.ts";
import { packedData } from "../../mesh/reminder-message.ts";
import type {
  SubscribeActorEventsRequestAlpha1,
  SubscribeActorEventsResponseAlpha1,
} from "../../wire/gen/dapr/proto/runtime/v1/actors_pb.js";

type Event = SubscribeActorEventsResponseAlpha1["responseType"];
type Answer = SubscribeActorEventsRequestAlpha1["requestType"];

interface Pending {
  readonly settle: (answer: Answer) => void;
  readonly fail: (error: Error) => void;
}

/** Requests without an answer on one stream; what comes beyond is refused. */
const UNANSWERED_MAX = 10_000;
const TRACE_HEADERS: ReadonlySet<string> = new Set(["traceparent", "tracestate", "grpc-trace-bin"]);
const PACKAGE = "dapr.proto.runtime.v1";
const ERROR_HEADER = "X-Daprerrorresponseheader";

/** An app that hosts its actors at the other end of a stream of `SubscribeActorEventsAlpha1`, which it has opened. */
export class StreamActorHost implements ActorHost {
  readonly knowsEnds = true;
  readonly #send: (event: Event) => void;
  readonly #pending = new Map<string, Pending>();
  #lastId = 0;
  #ended: Error | undefined;

  constructor(send: (event: Event) => void) {
    this.#send = send;
  }

  /** @returns false for an answer to nothing that was asked */
  answer(answer: Answer): boolean {
    if (answer.case === undefined || answer.case === "initialRequest") {
      return false;
    }
    const pending = this.#pending.get(answer.value.id);
    this.#pending.delete(answer.value.id);
    pending?.settle(answer);
    return pending !== undefined;
  }

  /** The stream is over: whatever is unanswered has failed. */
  end(): void {
    this.#ended = new ActorAppError("actor host disconnected before responding");
    for (const pending of this.#pending.values()) {
      pending.fail(this.#ended);
    }
    this.#pending.clear();
  }

  async invoke(type: string, id: string, call: ActorMethodCall, signal: CancelSignal): Promise<ActorReply> {
    const metadata = metadataOf(call);
    const answer = await this.#ask(signal, (request) => ({
      case: "invokeRequest",
      value: {
        $typeName: `${PACKAGE}.SubscribeActorEventsResponseInvokeRequestAlpha1`,
        id: request,
        actorType: type,
        actorId: id,
        method: call.method,
        data: call.body,
        metadata,
      },
    }));
    if (answer.case === "requestFailed" && answer.value.code === GRPC_STATUS.NOT_FOUND) {
      throw new ActorAppError(`actor method not found: ${call.method}`);
    }
    if (answer.case !== "invokeResponse") {
      throw failureOf(answer, "invoke");
    }
    const { data, error } = answer.value;
    const headers = Object.entries(answer.value.metadata).flat();
    return {
      status: { kind: "http", code: 200 },
      headers: error ? [...headers, ERROR_HEADER, "true"] : headers,
      contentType: answer.value.metadata["content-type"] ?? "",
      body: data,
      isError: error,
    };
  }

  async fire(type: string, id: string, tick: ActorTick, signal: CancelSignal): Promise<void> {
    const answer = await this.#ask(signal, (request) => tickEvent(type, id, tick, request));
    const isTick = answer.case === "timerResponse" || answer.case === "reminderResponse";
    if (!isTick || answer.case !== `${tick.kind}Response`) {
      throw failureOf(answer, tick.kind);
    }
    if (answer.value.cancel) {
      throw new TicksCancelledError();
    }
  }

  async deactivate(type: string, id: string): Promise<void> {
    try {
      await this.#ask(undefined, (request) => ({
        case: "deactivateRequest",
        value: {
          $typeName: `${PACKAGE}.SubscribeActorEventsResponseDeactivateRequestAlpha1`,
          id: request,
          actorType: type,
          actorId: id,
        },
      }));
    } catch (error) {
      throw new DeactivationError((error as Error).message, "invoke", error);
    }
  }

  #ask(signal: CancelSignal | undefined, event: (id: string) => Event): Promise<Answer> {
    return new Promise((resolve, reject) => {
      if (this.#ended !== undefined) {
        throw this.#ended;
      }
      if (signal?.aborted === true) {
        throw signal.reason;
      }
      if (this.#pending.size >= UNANSWERED_MAX) {
        throw new ActorAppError(
          `${UNANSWERED_MAX} requests to the actor host are unanswered, which is the limit; its app has to answer faster or have more replicas`,
        );
      }
      this.#lastId += 1;
      const id = String(this.#lastId);
      const onAbort = (): void => {
        this.#pending.delete(id);
        if (signal !== undefined) {
          reject(signal.reason);
        }
      };
      signal?.addEventListener("abort", onAbort, { once: true });
      const over = (): void => signal?.removeEventListener("abort", onAbort);
      this.#pending.set(id, {
        settle(answer) {
          over();
          resolve(answer);
        },
        fail(error) {
          over();
          reject(error);
        },
      });
      this.#send(event(id));
    });
  }
}

function tickEvent(actorType: string, actorId: string, tick: ActorTick, id: string): Event {
  const { kind, name, dueTime, period, callback, data } = tick;
  const any = data === undefined ? {} : { data: packedData(data) };
  const shared = { id, actorType, actorId, name, dueTime, period, ...any };
  return kind === "timer"
    ? {
        case: "timerRequest",
        value: { $typeName: `${PACKAGE}.SubscribeActorEventsResponseTimerRequestAlpha1`, callback, ...shared },
      }
    : {
        case: "reminderRequest",
        value: { $typeName: `${PACKAGE}.SubscribeActorEventsResponseReminderRequestAlpha1`, ...shared },
      };
}

/** The call's headers, with its span's context in place of what they say of a trace. */
function metadataOf({ headers, trace }: ActorMethodCall): Record<string, string> {
  const metadata: Record<string, string> = {};
  const traced = trace !== undefined && namesTrace(trace) ? trace : undefined;
  for (let index = 0; index + 1 < headers.length; index += 2) {
    const name = headers[index] as string;
    if (traced === undefined || !TRACE_HEADERS.has(name.toLowerCase())) {
      metadata[name] ??= headers[index + 1] as string;
    }
  }
  if (traced !== undefined) {
    metadata["traceparent"] = traced.traceparent;
    if (traced.tracestate !== "") {
      metadata["tracestate"] = traced.tracestate;
    }
  }
  return metadata;
}

function failureOf(answer: Answer, asked: string): ActorAppError {
  return new ActorAppError(
    answer.case === "requestFailed"
      ? `error from actor service: ${answer.value.message}`
      : `actor host returned an unexpected response type for ${asked}`,
  );
}
