import { pathOf } from "../../net/http/request-target.ts";
import type { HttpExchange } from "../../net/http/types.ts";
import { BadEscapeError } from "./router.ts";

/** Which app, and which method of it, decoded once and not yet canonical. */
export interface InvokeTarget {
  readonly appId: string;
  readonly method: string;
}

const PREFIX = ["v1.0", "invoke"] as const;
const SEPARATOR = "/method/";

/**
 * Finds the target in the `dapr-app-id` header, in Basic credentials with `dapr-app-id` as the user, or in the path; in the
 * first two cases the whole path is the method.
 *
 * @throws BadEscapeError when the path cannot be decoded
 */
export function findInvokeTarget(exchange: HttpExchange): InvokeTarget | undefined {
  const path = readPath(exchange.target);
  const appId = exchange.header("dapr-app-id") ?? "";
  if (appId !== "") {
    return { appId, method: path };
  }
  const user = basicTarget(exchange.header("authorization"));
  return user === undefined ? pathTarget(path) : { appId: user, method: path };
}

/** The app in Basic credentials of the user `dapr-app-id`. */
function basicTarget(authorization: string | undefined): string | undefined {
  if (authorization?.startsWith("Basic ") !== true) {
    return undefined;
  }
  const pair = Buffer.from(authorization.slice("Basic ".length), "base64").toString().split(":");
  const [user = "", appId = ""] = pair;
  return pair.length === 2 && user.toLowerCase() === "dapr-app-id" && appId !== "" ? appId : undefined;
}

/** The app and method in `/v1.0/invoke/{app}/method/{method}`; slashes may repeat, and the app may be escaped twice. */
function pathTarget(path: string): InvokeTarget | undefined {
  const start = afterPrefix(path);
  const end = start === -1 ? -1 : path.indexOf(SEPARATOR, start);
  if (end <= start) {
    return undefined;
  }
  const appId = path.slice(start, end);
  return { appId: unescaped(appId), method: path.slice(end + SEPARATOR.length) };
}

function afterPrefix(path: string): number {
  let at = skipSlashes(path, 0);
  for (const part of PREFIX) {
    if (!path.startsWith(part, at)) {
      return -1;
    }
    const after = skipSlashes(path, at + part.length);
    if (after === at + part.length) {
      return -1;
    }
    at = after;
  }
  return at;
}

function skipSlashes(path: string, from: number): number {
  let at = from;
  while (path.charCodeAt(at) === 0x2f) {
    at += 1;
  }
  return at;
}

function readPath(target: string): string {
  const path = pathOf(target);
  if (!path.includes("%")) {
    return path;
  }
  try {
    return decodeURIComponent(path);
  } catch {
    throw new BadEscapeError(`invalid URL escape in ${JSON.stringify(path)}`);
  }
}

function unescaped(appId: string): string {
  if (!appId.includes("%") && !appId.includes("+")) {
    return appId;
  }
  try {
    return decodeURIComponent(appId.replaceAll("+", " "));
  } catch {
    return appId;
  }
}
