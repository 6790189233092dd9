import { headerValue } from "../../net/http/headers.ts";
import type { HeaderList } from "../../net/http/types.ts";

/** Characters of path and query to go back to after signing in; a longer one becomes `/`. */
const TARGET_CHARACTERS_MAX = 2048;
const HOST = /^[A-Za-z0-9.:[\]-]+$/;

/** Path and query to go back to. Never another host's: browsers read what begins with two slashes, or a backslash, as one. */
export function localTarget(target: string): string {
  const local = `/${target.replace(/^[/\\]+/, "")}`;
  return target.startsWith("/") && local.length <= TARGET_CHARACTERS_MAX ? local : "/";
}

/** Where to send somebody who has signed in: over https, to the host they came by, where that is forced. */
export function returnLocation(target: string, headers: HeaderList, forceHttps: boolean): string {
  const host = headerValue(headers, "host") ?? "";
  return forceHttps && HOST.test(host) ? `https://${host}${target}` : target;
}
