import { connect, type Socket } from "node:net";

/** Begins to connect to `host:port`, `[v6]:port` (the port defaults to 80) or `unix:<path>`. @throws Error for anything else */
export function openSocket(authority: string): Socket {
  if (authority.startsWith("unix:")) return connect({ path: authority.slice(5).replace(/^\/\/(?=\/)/, "") });
  const match = /^(?:\[([^\]]+)\]|([^:]+))(?::(\d{1,5}))?$/.exec(authority);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3] ?? 80);
  if (host === undefined || port > 65_535) throw new Error(`"${authority}" is not host:port`);
  return connect({ host, port, noDelay: true });
}
