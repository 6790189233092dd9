import { isTruthy } from "../components/spi/metadata.ts";
import type { CancelSignal } from "../kit/cancel-signal.ts";
import { compactJson } from "../kit/json-compact.ts";
import {
  ActorAppError,
  type ActorHost,
  type ActorMethodCall,
  type ActorReply,
  type ActorTick,
  DEACTIVATION_LOST,
  DeactivationError,
  saysActorError,
  TicksCancelledError,
} from "./actor-host.ts";
import { collectBody } from "./body.ts";
import { cleanPath } from "./clean-path.ts";
import { headerValue } from "./header-rules.ts";
import type { AppChannel, InvokeReply } from "./types.ts";

const CANCEL_HEADER = "x-daprremindercancel";
const JSON_TYPE = "application/json";
const NO_BYTES = new Uint8Array(0);
const DATA_KEY = '{"data":';

/** Actors of an app that speaks HTTP: `PUT /actors/{type}/{id}/method/…` and `DELETE /actors/{type}/{id}`. */
export class HttpActorHost implements ActorHost {
  readonly #channel: AppChannel;
  readonly #maxBodyBytes: number;
  #isGone = false;

  /** @param maxBodyBytes of an answer, which is held whole; 0: no limit */
  constructor(channel: AppChannel, maxBodyBytes: number) {
    this.#channel = channel;
    this.#maxBodyBytes = maxBodyBytes;
  }

  async invoke(type: string, id: string, call: ActorMethodCall, signal: CancelSignal): Promise<ActorReply> {
    const method = `actors/${type}/${id}/method/${call.method}`;
    const reply = await this.#channel.invoke({
      ...call,
      method,
      verb: "PUT",
      origin: "http",
      signal,
      halfCloses: true,
    });
    const body = await collectBody(reply.body, this.#maxBodyBytes);
    const { status, headers, contentType } = reply;
    if (status.code === 404) {
      throw new ActorAppError(`actor method not found: ${method}`);
    }
    if (status.code !== 200) {
      throw new ActorAppError(`error from actor service: (${status.code}) ${Buffer.from(body).toString()}`);
    }
    const isError = saysActorError(headers);
    if (!isError && isTruthy(headerValue(headers, CANCEL_HEADER) ?? "")) {
      throw new TicksCancelledError();
    }
    return { status, headers, contentType, body, isError };
  }

  /** Names may hold what a path would be cut by; nothing of them may leave the actor's own paths. */
  async fire(type: string, id: string, tick: ActorTick, signal: CancelSignal): Promise<void> {
    const method = cleanPath(`${tick.kind === "timer" ? "timer" : "remind"}/${tick.name}`);
    const call = { method, query: "", headers: [], contentType: JSON_TYPE, body: tickBody(tick), trace: tick.trace };
    const reply = await this.invoke(type, id, call, signal);
    if (reply.isError) {
      throw new ActorAppError("actor error with details in body");
    }
  }

  /** The app has ended, and its actors with it: there is nobody to tell that they are deactivated. */
  left(): void {
    this.#isGone = true;
  }

  async deactivate(type: string, id: string): Promise<void> {
    if (this.#isGone) {
      return;
    }
    let reply: InvokeReply;
    let body: Uint8Array;
    try {
      reply = await this.#channel.invoke({
        method: `actors/${type}/${id}`,
        verb: "DELETE",
        query: "",
        headers: [],
        origin: "http",
        contentType: "application/x-protobuf",
        body: NO_BYTES,
      });
      body = await collectBody(reply.body, this.#maxBodyBytes);
    } catch (error) {
      throw new DeactivationError(error instanceof Error ? error.message : String(error), DEACTIVATION_LOST, error);
    }
    const { code } = reply.status;
    if (code !== 200) {
      throw new DeactivationError(
        `error from actor service: (${code}) ${Buffer.from(body).toString()}`,
        `status_code_${code}`,
      );
    }
  }
}

/** In the order of Dapr's encoder. */
function tickBody({ kind, data, callback, dueTime, period }: ActorTick): Uint8Array {
  const rest = JSON.stringify(kind === "timer" ? { callback, dueTime, period } : { dueTime, period });
  if (data === undefined) {
    return Buffer.from(rest);
  }
  const json = compactJson(data);
  const tail = `,${rest.slice(1)}`;
  const body = Buffer.allocUnsafe(DATA_KEY.length + json.length + Buffer.byteLength(tail));
  body.write(DATA_KEY, "latin1");
  body.set(json, DATA_KEY.length);
  body.write(tail, DATA_KEY.length + json.length);
  return body;
}
