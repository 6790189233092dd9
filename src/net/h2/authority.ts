/** Host and port of `host:port` or `[v6]:port`; the port defaults to 80. @throws Error for anything else */
export function splitAuthority(authority: string): { host: string; port: number } {
  const match = /^(?:\[([^\]]+)\]|([^:]+))(?::(\d{1,5}))?$/.exec(authority);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3] ?? 80);
  if (host === undefined || port > 65_535) throw new Error(`"${authority}" is not host:port`);
  return { host, port };
}
