import { connect as connectTcp } from "node:net";
import { tls } from "../kit/lazy-builtins.ts";
import type { AppLook, DialApp } from "./wait.ts";

/** Milliseconds that one attempt to connect may take. */
const DIAL_TIMEOUT_MS = 500;

/** Dials an app's port over TCP, with a TLS handshake that trusts any certificate where the app speaks TLS. */
export function appDialer(host: string, port: number, secure: boolean): DialApp {
  return (signal) =>
    new Promise((resolve) => {
      const socket = secure ? tls().connect({ host, port, rejectUnauthorized: false }) : connectTcp({ host, port });
      const finish = (look: AppLook): void => {
        signal.removeEventListener("abort", onAbort);
        socket.destroy();
        resolve(look);
      };
      const onAbort = (): void => finish("silent");
      signal.addEventListener("abort", onAbort, { once: true });
      socket.setTimeout(DIAL_TIMEOUT_MS, () => finish("silent"));
      socket.once(secure ? "secureConnect" : "connect", () => finish("there"));
      socket.once("error", (error: NodeJS.ErrnoException) => {
        finish(error.code === "ECONNREFUSED" ? "absent" : "silent");
      });
    });
}
