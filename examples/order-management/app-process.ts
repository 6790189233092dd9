import type { DaprServer } from "@dapr/dapr";
import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";

/** Requests under way get this long when the process is told to stop. */
const STOP_MS_MAX = 300;

const port = z.string().regex(/^\d+$/);
const environmentSchema = z.object({ APP_PORT: port, DAPR_HTTP_PORT: port, DAPR_GRPC_PORT: port });

/** The ports that `dapr run` and `start.ts` both put into an app's environment, as the text that the SDK wants. */
export interface AppEnvironment {
  readonly appPort: string;
  readonly daprHttpPort: string;
  readonly daprGrpcPort: string;
}

export function readEnvironment(): AppEnvironment {
  const { APP_PORT, DAPR_HTTP_PORT, DAPR_GRPC_PORT } = environmentSchema.parse(process.env);
  return { appPort: APP_PORT, daprHttpPort: DAPR_HTTP_PORT, daprGrpcPort: DAPR_GRPC_PORT };
}

/**
 * Starts an app's server, tells a parent process that it is up, and ends the process on SIGINT, SIGTERM or when that
 * parent is gone, so that no app outlives the one that started it.
 */
export async function runUntilStopped(server: DaprServer): Promise<void> {
  const stop = async (): Promise<void> => {
    await Promise.race([server.stop(), delay(STOP_MS_MAX)]);
    process.exit(0);
  };
  for (const signal of ["SIGINT", "SIGTERM", "disconnect"]) process.once(signal, () => void stop());
  await server.start();
  process.send?.("up");
}
