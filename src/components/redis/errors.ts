import { ErrorReply } from "redis";
import { errorMessage } from "../../kit/error-message.ts";
import { ComponentError } from "../spi/errors.ts";

/** First words of replies that say that the server cannot serve now; the command has not been run. */
const NOT_NOW: ReadonlySet<string> = new Set(["LOADING", "MASTERDOWN", "TRYAGAIN", "BUSY"]);

/** First words of replies that say that the server does not take writes. */
const NOT_WRITABLE: ReadonlySet<string> = new Set(["OOM", "READONLY", "MISCONF", "NOREPLICAS", "CLUSTERDOWN"]);

/** Whether the server has answered, though with an error; otherwise nobody knows whether the command ran. */
export function isErrorReply(error: unknown): error is Error {
  return error instanceof ErrorReply;
}

/** Whether the same command may work in a moment, and has not been run. */
export function isNotNow(error: Error): boolean {
  return NOT_NOW.has(firstWord(error.message));
}

/** An error reply as a component may throw it; the text is the server's. */
export function replyError(error: Error): ComponentError {
  const unavailable = NOT_WRITABLE.has(firstWord(error.message)) || isNotNow(error);
  return new ComponentError(unavailable ? "unavailable" : "invalidRequest", error.message, { cause: error });
}

/** What stands between us and the server, in the words of Go's `net` package, which users know from Dapr. */
export function dialErrorText(error: unknown, address: string): string {
  const { code } = error as { code?: unknown };
  switch (code) {
    case "ECONNREFUSED":
      return `dial tcp ${address}: connect: connection refused`;
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return `dial tcp: lookup ${address.replace(/:[0-9]+$/, "")}: no such host`;
    case "ETIMEDOUT":
      return `dial tcp ${address}: i/o timeout`;
    case "EHOSTUNREACH":
      return `dial tcp ${address}: connect: no route to host`;
    case undefined:
    default:
      return errorMessage(error);
  }
}

export function componentClosed(): ComponentError {
  return new ComponentError("unavailable", "component is closed");
}

function firstWord(text: string): string {
  const end = text.indexOf(" ");
  return end === -1 ? text : text.slice(0, end);
}
