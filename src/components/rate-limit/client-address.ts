import { isIPv6 } from "node:net";
import { headerValue } from "../../net/http/headers.ts";
import type { MiddlewareRequest } from "../spi/middleware.ts";

/** Characters of an address that a header gives; a longer one counts as its beginning. */
const ADDRESS_CHARACTERS_MAX = 64;

/**
 * Who made a request: the last address of X-Forwarded-For, which is what the nearest proxy saw, else X-Real-IP, else the
 * peer of the connection. IPv6 addresses of one /64 network are one caller. Empty: nobody knows.
 */
export function clientAddress({
  headers,
  remoteAddress,
}: Pick<MiddlewareRequest, "headers" | "remoteAddress">): string {
  const forwarded = headerValue(headers, "x-forwarded-for") ?? "";
  const said =
    forwarded === ""
      ? (headerValue(headers, "x-real-ip") ?? "") || remoteAddress
      : forwarded.slice(forwarded.lastIndexOf(",") + 1).trim();
  return networkOf(said.slice(0, ADDRESS_CHARACTERS_MAX));
}

function networkOf(address: string): string {
  if (!isIPv6(address) || address.includes("%")) {
    return address;
  }
  const canonical = new URL(`http://[${address}]`).hostname.slice(1, -1);
  const [head = "", tail] = canonical.split("::");
  const first = head === "" ? [] : head.split(":");
  const last = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = tail === undefined ? [] : Array.from({ length: 8 - first.length - last.length }, () => "0");
  return `${[...first, ...zeros, ...last].slice(0, 4).join(":")}::`;
}
