import { errorMessage } from "../../kit/error-message.ts";
import { ComponentError } from "../spi/errors.ts";

/** The fields of an error that the server reports. */
export interface ServerErrorFields {
  readonly severity: string;
  readonly code: string;
  readonly message: string;
}

/** Whether an error came from the server, and not from the way to it. */
export function isServerError(error: unknown): error is Error & ServerErrorFields {
  return error instanceof Error && "severity" in error && typeof error.severity === "string" && "code" in error;
}

/** An error of the server in pgx's form: `ERROR: division by zero (SQLSTATE 22012)`. */
export function serverErrorText({ severity, message, code }: ServerErrorFields): string {
  return `${severity}: ${message} (SQLSTATE ${code})`;
}

/** First characters of codes that say that the server cannot serve now. */
const NOT_NOW = /^(?:08|53|57P0)/;

/** What ended a statement, as a component may throw it. */
export function serverError(error: Error): ComponentError {
  if (error instanceof ComponentError) {
    return error;
  }
  if (isServerError(error)) {
    const kind = NOT_NOW.test(error.code) ? "unavailable" : "invalidRequest";
    return new ComponentError(kind, serverErrorText(error), { cause: error });
  }
  return new ComponentError("unavailable", connectionText(error), { cause: error });
}

/** A lost connection in the words of Go's driver. */
export function connectionText(error: unknown): string {
  const text = errorMessage(error);
  switch ((error as { code?: unknown }).code) {
    case "ECONNRESET":
      return "read: connection reset by peer";
    case "EPIPE":
      return "write: broken pipe";
    default:
      return text.startsWith("Connection terminated") || text.includes("not queryable") ? "unexpected EOF" : text;
  }
}

/** Why an address could not be dialled, in the words of Go's `net` package. */
export function dialText(error: unknown, address: string): string {
  const network = address.startsWith("/") ? "unix" : "tcp";
  const { code } = error as { code?: unknown };
  switch (code) {
    case "ECONNREFUSED":
      return `dial ${network} ${address}: connect: connection refused`;
    case "ENOENT":
      return `dial ${network} ${address}: connect: no such file or directory`;
    case "EACCES":
      return `dial ${network} ${address}: connect: permission denied`;
    case "EHOSTUNREACH":
      return `dial ${network} ${address}: connect: no route to host`;
    case "ENETUNREACH":
      return `dial ${network} ${address}: connect: network is unreachable`;
    case "ETIMEDOUT":
      return `dial ${network} ${address}: i/o timeout`;
    case undefined:
    default:
      return `dial ${network} ${address}: ${errorMessage(error)}`;
  }
}

export function componentClosed(): ComponentError {
  return new ComponentError("unavailable", "component is closed");
}
