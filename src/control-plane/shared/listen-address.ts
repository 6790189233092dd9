import type { ListenAddress } from "../../net/http/listener.ts";

/** A flag's host and port: `[::1]` becomes `::1`, an empty host is every interface. */
export function listenAddress(host: string, port: number): ListenAddress {
  return { host: host === "" ? "::" : host.replace(/^\[(.*)\]$/, "$1"), port };
}

/** The same as log lines show it: `127.0.0.1:9090`, `:9090` for every interface. */
export function listenText(host: string, port: number): string {
  const bare = host.replace(/^\[(.*)\]$/, "$1");
  return `${bare.includes(":") ? `[${bare}]` : bare}:${port}`;
}
