import type { StartRole } from "../control-plane/shared/types.ts";
import type { HostProcess } from "./host-process.ts";
import { PLACEMENT_FLAGS, placementOptions } from "./placement-flags.ts";
import { runRoleProgram } from "./role-program.ts";

/** `outrigger placement`, which is also what the program does under the name `placement`. */
export function placementCommand(args: readonly string[], host: HostProcess): Promise<number> {
  return runRoleProgram(
    {
      name: "placement",
      title: "Dapr Placement Service",
      farewell: "Placement service shut down gracefully",
      scope: "dapr.placement",
      flags: PLACEMENT_FLAGS,
      prepare: (flags): StartRole => {
        const options = placementOptions(flags, host.env);
        return async (context) => {
          // gRPC and protobuf, which help and a refused flag have no use for.
          const { startPlacement } = await import("../control-plane/placement/start-placement.ts");
          return await startPlacement(options)(context);
        };
      },
    },
    args,
    host,
  );
}
