import { systemClock } from "../kit/system-clock.ts";
import { RUNTIME_VERSION } from "../sidecar/version.ts";
import { createLogger } from "../telemetry/log/logger.ts";
import { createLogSink } from "../telemetry/log/sink.ts";
import { FlagError, usageText } from "./flag-set.ts";
import type { HostProcess } from "./host-process.ts";
import { localOffset } from "./local-time.ts";
import { SIDECAR_FLAGS } from "./sidecar-flags.ts";
import { OptionsError, parseSidecarFlags, type SidecarInvocation } from "./sidecar-invocation.ts";
import { OUTRIGGER_VERSION } from "../kit/release.ts";
import { waitUntilOutboundReady } from "./wait-command.ts";

/** daprd's exit code for a command line it cannot read. */
const EXIT_USAGE = 2;

/** `outrigger sidecar`, which is also what the program does under the name `daprd`. */
export async function sidecarCommand(args: readonly string[], host: HostProcess): Promise<number> {
  let invocation: SidecarInvocation;
  try {
    invocation = parseSidecarFlags(args, host.env);
  } catch (error) {
    return await refuse(error, host);
  }
  switch (invocation.action) {
    case "help":
      host.err(usageText("daprd", SIDECAR_FLAGS));
      return 0;
    case "version":
      host.out(`${RUNTIME_VERSION}\n`);
      return 0;
    case "build-info":
      host.out(
        `Version: ${RUNTIME_VERSION}\nGit Commit: outrigger-${OUTRIGGER_VERSION}\nGit Version: outrigger-${OUTRIGGER_VERSION}\n`,
      );
      return 0;
    case "wait":
      await waitUntilOutboundReady(invocation.httpPort, host, systemClock);
      return 0;
    case "run": {
      const { runSidecar } = await import("./run-sidecar.ts");
      return await runSidecar(invocation, host);
    }
  }
}

async function refuse(error: unknown, host: HostProcess): Promise<number> {
  if (error instanceof FlagError) {
    host.err(`${usageText("daprd", SIDECAR_FLAGS)}${error.message}\n`);
    return EXIT_USAGE;
  }
  if (!(error instanceof OptionsError)) {
    throw error;
  }
  const sink = createLogSink({ fd: 1 });
  const identity = { appId: error.appId, instance: host.hostname, version: RUNTIME_VERSION };
  createLogger({
    ...identity,
    level: "info",
    asJson: error.asJson,
    sink,
    clock: systemClock,
    utcOffset: localOffset,
  }).fatal(error.message);
  await sink.close();
  return 1;
}
