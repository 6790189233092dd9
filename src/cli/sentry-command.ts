import type { StartRole } from "../control-plane/shared/types.ts";
import type { HostProcess } from "./host-process.ts";
import { runRoleProgram } from "./role-program.ts";
import { SENTRY_FLAGS, sentryOptions } from "./sentry-flags.ts";

/** `outrigger sentry`, which is also what the program does under the name `sentry`. */
export function sentryCommand(args: readonly string[], host: HostProcess): Promise<number> {
  return runRoleProgram(
    {
      name: "sentry",
      title: "Dapr Sentry certificate authority",
      farewell: "Sentry shut down gracefully",
      scope: "dapr.sentry",
      flags: SENTRY_FLAGS,
      prepare: (flags): StartRole => {
        const options = sentryOptions(flags, host);
        return async (context) => {
          // gRPC, protobuf and X.509, which help and a refused flag have no use for.
          const { startSentry } = await import("../control-plane/sentry/start-sentry.ts");
          return await startSentry(options)(context);
        };
      },
    },
    args,
    host,
  );
}
