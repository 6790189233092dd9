import type { ActorRef } from "../../app/actor-host.ts";
import { goQuote } from "../../kit/go-quote.ts";
import { NAME_CHARS_MAX } from "./limits.ts";

/** A name that could not stand in a path, or is too long. */
export class ActorNameError extends Error {
  override readonly name = "ActorNameError";
}

const FORBIDDEN = /[#?\0/\\]/;
// oxlint-disable-next-line no-control-regex -- they are what is looked for
const CONTROL = /[\x01-\x1f\x7f]/;

/**
 * Refuses names of types, ids, timers and reminders that would change the path they end up in, or are too long.
 * @throws ActorNameError; in Dapr's words where Dapr refuses too
 */
export function checkActorName(name: string): void {
  if (FORBIDDEN.test(name)) {
    throw new ActorNameError(`name contains forbidden character: ${goQuote(name)}`);
  }
  const control = CONTROL.exec(name);
  if (control !== null) {
    const position = Buffer.byteLength(name.slice(0, control.index));
    throw new ActorNameError(`name contains control character at position ${position}: ${goQuote(name)}`);
  }
  if (name === "." || name === "..") {
    throw new ActorNameError(`name is a path traversal sequence: ${goQuote(name)}`);
  }
  checkLength("name", name);
}

/** The names of an actor, and of a timer or reminder of it. @throws ActorNameError for one that is too long */
export function checkNameLengths({ type, id }: ActorRef, name = ""): void {
  checkLength("actor type", type);
  checkLength("actor id", id);
  checkLength("name", name);
}

function checkLength(what: string, name: string): void {
  if (name.length > NAME_CHARS_MAX) {
    throw new ActorNameError(
      `${what} has ${name.length} characters, and ${NAME_CHARS_MAX} is the limit; use a shorter one`,
    );
  }
}

/** Types of the workflow engine, which no app may touch directly. */
export function isReservedType(type: string): boolean {
  return type.startsWith("dapr.internal.");
}
