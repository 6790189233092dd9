import type { CancelSignal } from "../kit/cancel-signal.ts";
import type { TraceSpan } from "../kit/trace-context.ts";
import type { HeaderList } from "../net/http/types.ts";
import { headerValue } from "./header-rules.ts";
import type { InvokeReply } from "./types.ts";

/** One actor. */
export interface ActorRef {
  readonly type: string;
  readonly id: string;
}

/** A call of an actor's method on its way into the app. */
export interface ActorMethodCall {
  readonly method: string;
  readonly query: string;
  readonly headers: HeaderList;
  /** As of any call of the app. */
  readonly trace?: TraceSpan | undefined;
  readonly contentType: string;
  readonly body: Uint8Array;
}

/** A timer or reminder that is due; texts are the user's own. `data` is JSON text, undefined where there is none. */
export interface ActorTick {
  readonly kind: "timer" | "reminder";
  readonly name: string;
  readonly dueTime: string;
  readonly period: string;
  readonly data: Uint8Array | undefined;
  /** Timers only. */
  readonly callback: string;
  /** Where its call stands in a trace. */
  readonly trace?: TraceSpan | undefined;
}

/** A call of an actor's method, from a door or from another sidecar. */
export interface ActorCall extends ActorRef, ActorMethodCall {
  readonly verb: string;
  readonly signal?: CancelSignal | undefined;
}

/** A timer or reminder whose actor may be anywhere. */
export interface ActorTickCall extends ActorRef, ActorTick {
  /** Milliseconds since 1970; undefined: it does not expire. */
  readonly expiresMs: number | undefined;
  readonly signal?: CancelSignal | undefined;
}

/** What the app said to a call: any answer with status 200. */
export interface ActorReply extends Pick<InvokeReply, "status" | "headers" | "contentType"> {
  readonly body: Uint8Array;
  /** The app says by a header that this is a failure; callers get the answer all the same. */
  readonly isError: boolean;
}

/** The app's answer to a tick asks for no more of them. */
export class TicksCancelledError extends Error {
  override readonly name = "TicksCancelledError";

  constructor() {
    super("reminder has been canceled");
  }
}

/** An app as the home of actors of some types. */
export interface ActorHost {
  /** Calls end when the app has ended them, also those that nobody waits for any more; otherwise an aborted one may go on. */
  readonly knowsEnds?: boolean;
  /** @throws Error in Dapr's words for any answer but 200 */
  invoke(type: string, id: string, call: ActorMethodCall, signal: CancelSignal): Promise<ActorReply>;
  /** @throws TicksCancelledError, or as `invoke` does */
  fire(type: string, id: string, tick: ActorTick, signal: CancelSignal): Promise<void>;
  /** @throws DeactivationError */
  deactivate(type: string, id: string): Promise<void>;
}

/** The reason of a deactivation that may not have reached the app. */
export const DEACTIVATION_LOST = "invoke";

/** The app did not take a deactivation well; `reason` is the metric's word for it. */
export class DeactivationError extends Error {
  override readonly name = "DeactivationError";
  readonly reason: string;

  constructor(message: string, reason: string, cause?: unknown) {
    super(message, { cause });
    this.reason = reason;
  }
}

/** The failed answer of an actor's app. */
export class ActorAppError extends Error {
  override readonly name = "ActorAppError";
}

const ERROR_HEADER = "x-daprerrorresponseheader";

/** Whether an answer's headers say that the actor's method failed. */
export function saysActorError(headers: HeaderList): boolean {
  return headerValue(headers, ERROR_HEADER) !== undefined;
}

/** How Dapr writes an actor in keys and texts. */
export function actorKey({ type, id }: ActorRef): string {
  return `${type}||${id}`;
}
