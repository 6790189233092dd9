import { ActorId, ActorProxyBuilder, type DaprClient } from "@dapr/dapr";
import type { z } from "zod";
import { PeerError } from "./peer-error.ts";

/** An interface of commands, each with one request and one answer. */
type CommandsOf<Commands> = { [Name in keyof Commands]: (request: never) => Promise<object> };
type Request<Command> = Command extends (request: infer Asked) => unknown ? Asked : never;
type Answer<Command> = Command extends (request: never) => Promise<infer Told> ? Told : never;

/** An actor as the SDK's proxies have it. */
type Untyped = Record<string, (request: unknown) => Promise<unknown>>;

/** The actors of one type, wherever they are. */
export class Actors<Commands extends CommandsOf<Commands>> {
  readonly #type: string;
  readonly #proxies: ActorProxyBuilder<Untyped>;

  constructor(client: DaprClient, type: string) {
    this.#type = type;
    // The SDK takes the type from the name of a class: one without members spares the caller the actor's own.
    this.#proxies = new ActorProxyBuilder({ [type]: class {} }[type] as new () => Untyped, client);
  }

  /**
   * Sends a command to an actor and waits for its turn to end. When this throws, the command may have been carried out.
   * @throws PeerError
   */
  async ask<Name extends Extract<keyof Commands, string>>(
    id: string,
    command: Name,
    request: Request<Commands[Name]>,
    schema: z.ZodType<Answer<Commands[Name]>>,
  ): Promise<Answer<Commands[Name]>> {
    try {
      return schema.parse(await this.#proxies.build(new ActorId(id))[command]?.(request));
    } catch (error) {
      throw new PeerError(`${this.#type} ${id} did not answer to ${command}`, error);
    }
  }
}
