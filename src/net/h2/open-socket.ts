import { connect, type NetConnectOpts, type Socket } from "node:net";

/** Begins to connect to `host:port`, `[v6]:port` (the port defaults to 80) or `unix:<path>`. @throws Error for anything else */
export function openSocket(authority: string): Socket {
  return connect(socketTarget(authority));
}

/** What an authority of that kind asks to connect to, as node:net and node:tls take it. @throws Error for anything else */
export function socketTarget(authority: string): NetConnectOpts {
  if (authority.startsWith("unix:")) return { path: authority.slice(5).replace(/^\/\/(?=\/)/, "") };
  const match = /^(?:\[([^\]]+)\]|([^:]+))(?::(\d{1,5}))?$/.exec(authority);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3] ?? 80);
  if (host === undefined || port > 65_535) throw new Error(`"${authority}" is not host:port`);
  return { host, port, noDelay: true };
}
