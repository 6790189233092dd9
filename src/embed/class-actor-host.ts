import {
  ActorAppError,
  type ActorHost,
  actorKey,
  type ActorMethodCall,
  type ActorReply,
  type ActorTick,
  DeactivationError,
} from "../app/actor-host.ts";
import { headerValue } from "../app/header-rules.ts";
import type { ActorsBlock } from "../blocks/actors/actors-block.ts";
import { errorMessage } from "../kit/error-message.ts";
import type { Logger } from "../kit/logger.ts";
import { actorContext, jsonBytes, jsonValue, REENTRANCY_HEADER } from "./actor-access.ts";
import type { ActorClass, ActorInstance } from "./actor-types.ts";

const CHAIN_HEADER = REENTRANCY_HEADER.toLowerCase();

type Methods = ActorInstance & Readonly<Record<string, unknown>>;

/** One active actor and the turn it is in. */
interface Active {
  readonly ready: Promise<Methods>;
  chain: string | undefined;
  /** Calls within the turn. */
  depth: number;
}

/** Actors that are instances of classes in this process. */
export class ClassActorHost implements ActorHost {
  readonly knowsEnds = true;
  readonly #classes: Readonly<Record<string, ActorClass>>;
  readonly #actors: () => ActorsBlock;
  readonly #logger: Logger;
  readonly #active = new Map<string, Active>();

  /** @param actors the runtime's own, which is there when the first actor is */
  constructor(classes: Readonly<Record<string, ActorClass>>, actors: () => ActorsBlock, logger: Logger) {
    this.#classes = classes;
    this.#actors = actors;
    this.#logger = logger.scope("outrigger.embed.actors");
  }

  async invoke(type: string, id: string, call: ActorMethodCall): Promise<ActorReply> {
    const result = await this.#turn(type, id, headerValue(call.headers, CHAIN_HEADER), async (instance) => {
      const method = callable(instance, call.method);
      if (method === undefined) {
        throw new ActorAppError(`actor method not found: actors/${type}/${id}/method/${call.method}`);
      }
      return await method(argumentOf(call));
    });
    return {
      status: { kind: "http", code: 200 },
      headers: [],
      contentType: "application/json",
      body: jsonBytes(result),
      isError: false,
    };
  }

  async fire(type: string, id: string, tick: ActorTick): Promise<void> {
    await this.#turn(type, id, undefined, async (instance) => {
      const data = jsonValue(tick.data);
      if (tick.kind === "reminder") {
        if (instance.onReminder === undefined) {
          throw new ActorAppError(`the class of ${type} has no method onReminder, and got the reminder ${tick.name}`);
        }
        await instance.onReminder(tick.name, data);
        return;
      }
      const method = callable(instance, tick.callback);
      if (method === undefined) {
        throw new ActorAppError(`the timer ${tick.name} calls ${tick.callback}, which ${type} has no method for`);
      }
      await method(data);
    });
  }

  async deactivate(type: string, id: string): Promise<void> {
    const key = actorKey({ type, id });
    const active = this.#active.get(key);
    this.#active.delete(key);
    try {
      await (await active?.ready)?.onDeactivate?.();
    } catch (error) {
      throw new DeactivationError(errorMessage(error), "invoke", error);
    }
  }

  async #turn<T>(
    type: string,
    id: string,
    chain: string | undefined,
    work: (instance: Methods) => Promise<T>,
  ): Promise<T> {
    const key = actorKey({ type, id });
    const active = this.#active.get(key) ?? this.#activate(key, type, id);
    active.chain = chain;
    active.depth += 1;
    try {
      return await work(await active.ready);
    } catch (error) {
      throw error instanceof ActorAppError ? error : this.#failure(key, error);
    } finally {
      active.depth -= 1;
      if (active.depth === 0) {
        active.chain = undefined;
      }
    }
  }

  #activate(key: string, type: string, id: string): Active {
    const active: Active = {
      ready: this.#make(type, id, () => active.chain),
      chain: undefined,
      depth: 0,
    };
    this.#active.set(key, active);
    active.ready.catch(() => {
      if (this.#active.get(key) === active) {
        this.#active.delete(key);
      }
    });
    return active;
  }

  async #make(type: string, id: string, chain: () => string | undefined): Promise<Methods> {
    const Class = this.#classes[type];
    if (Class === undefined) {
      throw new ActorAppError(`actor type ${type} has no class`);
    }
    // After this turn of the event loop: `chain` reads what is being made.
    await Promise.resolve();
    const instance = new Class(actorContext(this.#actors(), { type, id }, chain)) as Methods;
    await instance.onActivate?.();
    return instance;
  }

  #failure(key: string, error: unknown): ActorAppError {
    const stack = error instanceof Error ? error.stack : undefined;
    this.#logger.debug(`actor ${key} failed: ${stack ?? String(error)}`);
    const failure = new ActorAppError(errorMessage(error));
    failure.cause = error;
    return failure;
  }
}

function argumentOf({ method, body }: ActorMethodCall): unknown {
  try {
    return jsonValue(body);
  } catch (error) {
    throw new ActorAppError(`the argument of ${method} is no JSON: ${errorMessage(error)}`);
  }
}

/** A method that may be called from outside: of the class or one above it, and none of the life cycle. */
function callable(instance: Methods, name: string): ((argument: unknown) => unknown) | undefined {
  if (name.startsWith("_") || name === "constructor" || /^on[A-Z]/.test(name) || name in Object.prototype) {
    return undefined;
  }
  const method = instance[name];
  return typeof method === "function" ? (argument) => method.call(instance, argument) as unknown : undefined;
}
