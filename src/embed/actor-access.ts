import type { ActorRef } from "../app/actor-host.ts";
import { checkActorName } from "../blocks/actors/actor-name.ts";
import type { ActorsBlock } from "../blocks/actors/actors-block.ts";
import type { ActorStateOperation } from "../blocks/actors/actor-state.ts";
import { canonicalMethod } from "../blocks/invocation/method-path.ts";
import type { ActorContext, ActorHandle, ActorSchedule, ActorStateAccess } from "./actor-types.ts";

const NO_BYTES = new Uint8Array(0);
const JSON_TYPE = "application/json";
export const REENTRANCY_HEADER = "Dapr-Reentrancy-Id";

/** JSON text of a value; nothing for undefined. */
export function jsonBytes(value: unknown): Uint8Array {
  const text = JSON.stringify(value) as string | undefined;
  return text === undefined ? NO_BYTES : Buffer.from(text);
}

/** @throws SyntaxError for what is no JSON; undefined for nothing */
export function jsonValue(bytes: Uint8Array | undefined): unknown {
  return bytes === undefined || bytes.byteLength === 0
    ? undefined
    : (JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString()) as unknown);
}

/** Some SDKs answer with bare text. */
function answerOf(body: Uint8Array): unknown {
  try {
    return jsonValue(body);
  } catch {
    return Buffer.from(body).toString();
  }
}

/** @param chain the reentrancy id of the turn that calls, if it has one */
export function actorHandle(actors: ActorsBlock, ref: ActorRef, chain: () => string | undefined): ActorHandle {
  const { type, id } = ref;
  return {
    type,
    id,
    async call<Result>(method: string, argument?: unknown): Promise<Result> {
      checkActorName(type);
      checkActorName(id);
      const turn = chain();
      const { body, isError } = await actors.call({
        type,
        id,
        method: canonicalMethod(method),
        verb: "POST",
        query: "",
        headers: turn === undefined ? [] : [REENTRANCY_HEADER, turn],
        contentType: JSON_TYPE,
        body: jsonBytes(argument),
      });
      if (isError) {
        throw new Error(Buffer.from(body).toString());
      }
      return answerOf(body) as Result;
    },
  };
}

/** @param chain as for a handle */
export function actorContext(actors: ActorsBlock, ref: ActorRef, chain: () => string | undefined): ActorContext {
  return {
    ...ref,
    state: stateOf(actors, ref),
    timers: {
      set: (name, method, schedule) => actors.createTimer({ ...ref, ...tickOf(name, schedule), callback: method }),
      delete: (name) => actors.deleteTimer(ref, name),
    },
    reminders: {
      set: (name, schedule) =>
        actors.reminders.create({ ...ref, ...tickOf(name, schedule), overwrite: true, failurePolicy: undefined }),
      delete: (name) => actors.reminders.delete(ref, name),
    },
    actor: (type, id) => actorHandle(actors, { type, id }, chain),
  };
}

function stateOf(actors: ActorsBlock, ref: ActorRef): ActorStateAccess {
  return {
    async get<Value>(key: string) {
      return jsonValue((await actors.getState(ref, key))?.data) as Value | undefined;
    },
    set: (key, value, ttlSeconds) => actors.transact(ref, [change(key, value, ttlSeconds)]),
    delete: (key) => actors.transact(ref, [change(key, undefined)]),
    save: (values) =>
      actors.transact(
        ref,
        Object.entries(values).map(([key, value]) => change(key, value)),
      ),
  };
}

function change(key: string, value: unknown, ttlSeconds?: number): ActorStateOperation {
  if (value === undefined) {
    return { kind: "delete", key, etag: undefined };
  }
  const metadata: Record<string, string> = ttlSeconds === undefined ? {} : { ttlInSeconds: String(ttlSeconds) };
  return { kind: "upsert", key, value: jsonBytes(value), valueIsJson: true, etag: undefined, metadata };
}

function tickOf(name: string, { dueTime = "", period = "", ttl = "", data }: ActorSchedule) {
  checkActorName(name);
  return { name, dueTime, period, ttl, data: data === undefined ? undefined : jsonBytes(data) };
}
