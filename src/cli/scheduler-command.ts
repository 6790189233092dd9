import type { StartRole } from "../control-plane/shared/types.ts";
import type { HostProcess } from "./host-process.ts";
import { runRoleProgram } from "./role-program.ts";
import { SCHEDULER_FLAGS, schedulerOptions } from "./scheduler-flags.ts";

/** `outrigger scheduler`, which is also what the program does under the name `scheduler`. */
export function schedulerCommand(args: readonly string[], host: HostProcess): Promise<number> {
  return runRoleProgram(
    {
      name: "scheduler",
      title: "Dapr Scheduler Service",
      farewell: "Scheduler service shut down gracefully",
      scope: "dapr.scheduler",
      flags: SCHEDULER_FLAGS,
      prepare: (flags): StartRole => {
        const options = schedulerOptions(flags, host);
        return async (context) => {
          // gRPC, protobuf and SQLite, which help and a refused flag have no use for.
          const { startScheduler } = await import("../control-plane/scheduler/start-scheduler.ts");
          return await startScheduler(options)(context);
        };
      },
    },
    args,
    host,
  );
}
