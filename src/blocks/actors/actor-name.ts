import { goQuote } from "../../kit/go-quote.ts";

/** A name that could not stand in a path. */
export class ActorNameError extends Error {
  override readonly name = "ActorNameError";
}

const FORBIDDEN = /[#?\0/\\]/;
// oxlint-disable-next-line no-control-regex -- they are what is looked for
const CONTROL = /[\x01-\x1f\x7f]/;

/** Refuses names of types, ids, timers and reminders that would change the path they end up in. @throws ActorNameError in Dapr's words */
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
}

/** Types of the workflow engine, which no app may touch directly. */
export function isReservedType(type: string): boolean {
  return type.startsWith("dapr.internal.");
}
