import { connect } from "node:net";
import { PROBE_TIMEOUT_MS } from "./limits.ts";
import type { ProbeHost } from "./peer-watch.ts";

/** Connects to a sidecar's internal port, and hangs up. */
export const probeHost: ProbeHost = (address) => {
  const { hostname, port } = parts(address);
  return new Promise((resolve) => {
    const socket = connect({ host: hostname, port, timeout: PROBE_TIMEOUT_MS });
    const end = (found: "open" | "refused" | "unknown"): void => {
      socket.destroy();
      resolve(found);
    };
    socket.once("connect", () => end("open"));
    socket.once("timeout", () => end("unknown"));
    socket.once("error", (error: NodeJS.ErrnoException) => end(error.code === "ECONNREFUSED" ? "refused" : "unknown"));
    socket.unref();
  });
};

function parts(address: string): { readonly hostname: string; readonly port: number } {
  const colon = address.lastIndexOf(":");
  const hostname = address.slice(0, Math.max(0, colon)).replace(/^\[(.*)\]$/, "$1");
  const port = Number(address.slice(colon + 1));
  return { hostname, port: Number.isInteger(port) && port > 0 && port < 65_536 ? port : 0 };
}
