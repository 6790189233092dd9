import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { join } from "node:path";

/** An app that takes longer to stop is killed. */
const STOP_MS_MAX = 500;

export interface AppPorts {
  readonly appPort: number;
  /** The sidecar's. */
  readonly httpPort: number;
  readonly grpcPort: number;
}

/** One of the example's services, as a child process. */
export interface App {
  /** Resolves when the app's server listens; rejects when the process has ended, before or after that. */
  readonly listening: Promise<void>;
  /** Rejects when the process has ended; never resolves. */
  readonly ended: Promise<never>;
  stop(): Promise<void>;
}

/**
 * Starts `<name>/main.ts` on this process's own Node. The app ends when this process does, however that comes about: it
 * notices that the channel between the two is closed.
 */
export function startApp(name: string, { appPort, httpPort, grpcPort }: AppPorts): App {
  const child = spawn(process.execPath, [...process.execArgv, join(import.meta.dirname, name, "main.ts")], {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
    env: {
      ...process.env,
      APP_PORT: String(appPort),
      DAPR_HTTP_PORT: String(httpPort),
      DAPR_GRPC_PORT: String(grpcPort),
    },
  });
  const exit = Promise.withResolvers<string>();
  child.once("error", (error) => exit.resolve(error.message));
  child.once("exit", (code, signal) => exit.resolve(signal ?? `exit code ${code}`));

  const ended = exit.promise.then((how) => {
    throw new Error(`the ${name} service ended: ${how}`);
  });
  // An end is only news to those who ask.
  ended.catch(() => undefined);
  const stop = async (): Promise<void> => {
    child.kill("SIGTERM");
    const impatience = setTimeout(() => child.kill("SIGKILL"), STOP_MS_MAX);
    await exit.promise;
    clearTimeout(impatience);
  };
  return { listening: Promise.race([once(child, "message").then(() => undefined), ended]), ended, stop };
}

/** A port that nothing listens on at this moment. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("a TCP server without a port");
  return address.port;
}
