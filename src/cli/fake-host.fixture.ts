import type { HostProcess } from "./host-process.ts";

/** A process that remembers what was printed. */
export function fakeHost(): { readonly host: HostProcess; readonly out: string[]; readonly err: string[] } {
  const out: string[] = [];
  const err: string[] = [];
  const host: HostProcess = {
    env: {},
    cwd: "/",
    userId: 0,
    hostname: "host",
    program: () => ["outrigger"],
    async *stdin() {},
    out: (text) => void out.push(text),
    err: (text) => void err.push(text),
    onSignal: () => undefined,
    onFailure: () => undefined,
  };
  return { host, out, err };
}
