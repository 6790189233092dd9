import { runRole } from "../control-plane/shared/run-role.ts";
import type { RoleDeps, StartRole } from "../control-plane/shared/types.ts";
import { Cancellation } from "../kit/cancel-signal.ts";
import { errorMessage } from "../kit/error-message.ts";
import { systemRandom } from "../kit/random.ts";
import { systemClock } from "../kit/system-clock.ts";
import { transportOf } from "../net/h2/implementations.ts";
import { RUNTIME_VERSION } from "../sidecar/version.ts";
import { createLogger, type LeveledLogger } from "../telemetry/log/logger.ts";
import { ownProcess } from "../telemetry/metrics/process-metrics.ts";
import { type FlagDefinition, FlagError, parseFlags, type ParsedFlags, usageText } from "./flag-set.ts";
import type { HostProcess } from "./host-process.ts";
import { startIdleCollector } from "./idle-collector.ts";
import { localOffset } from "./local-time.ts";
import { flushProgramLog, openProgramLog } from "./program-log.ts";
import { type RoleFlag, roleLogLevel, RoleOptionsError, roleSettings } from "./role-flags.ts";
import { OUTRIGGER_VERSION } from "../kit/release.ts";

/** Exit code of Dapr's programs for a command line they cannot read. */
const EXIT_USAGE = 2;

/** A role of the control plane as a program. */
export interface RoleProgram<D extends FlagDefinition> {
  /** Dapr's name of the program, in its help. */
  readonly name: string;
  /** In its first log line: `Dapr Placement Service`. */
  readonly title: string;
  /** Its last log line after a graceful end. */
  readonly farewell: string;
  /** Of its log lines: `dapr.placement`. */
  readonly scope: string;
  /** `ROLE_FLAGS` and its own. */
  readonly flags: readonly D[];
  /** Reads the flags. @throws RoleOptionsError */
  prepare(flags: ParsedFlags<D>, host: HostProcess): StartRole;
}

/** Runs a role until it ends or signals end it. @returns the exit code: 0 after a graceful end, 1 for failures, 2 for usage */
export async function runRoleProgram<D extends FlagDefinition>(
  program: RoleProgram<D | RoleFlag>,
  args: readonly string[],
  host: HostProcess,
): Promise<number> {
  let flags: ParsedFlags<D | RoleFlag>;
  try {
    flags = parseFlags(program.flags, args);
  } catch (error) {
    if (!(error instanceof FlagError)) {
      throw error;
    }
    host.err(`${usageText(program.name, program.flags)}${error.message}\n`);
    return EXIT_USAGE;
  }
  if (flags.help) {
    host.err(usageText(program.name, program.flags));
    return 0;
  }
  for (const notice of flags.notices) {
    host.err(`${notice}\n`);
  }
  const shared: ParsedFlags<RoleFlag> = flags;
  const { sink, problem } = openProgramLog(shared.text("log-file"));
  const logger = createLogger({
    appId: "",
    instance: host.hostname,
    version: RUNTIME_VERSION,
    level: "info",
    asJson: shared.bool("log-as-json"),
    sink,
    clock: systemClock,
    utcOffset: localOffset,
    scope: program.scope,
  });
  try {
    if (problem !== undefined) {
      throw new RoleOptionsError(problem);
    }
    return await superviseRole(program, flags, host, logger.withLevel(roleLogLevel(shared)));
  } catch (error) {
    logger.fatal(errorMessage(error));
    return 1;
  } finally {
    await flushProgramLog(sink);
  }
}

async function superviseRole<D extends FlagDefinition>(
  program: RoleProgram<D | RoleFlag>,
  flags: ParsedFlags<D | RoleFlag>,
  host: HostProcess,
  logger: LeveledLogger,
): Promise<number> {
  const shared: ParsedFlags<RoleFlag> = flags;
  // First of all: a signal that comes while a refusal is still being logged must not replace its exit code.
  const stop = new Cancellation();
  const forced = Promise.withResolvers<number>();
  stopOnSignals(host, logger, stop, forced.resolve);
  const settings = roleSettings(shared);
  const start = program.prepare(flags, host);
  logger.info(`Starting ${program.title} -- version ${RUNTIME_VERSION} -- commit outrigger-${OUTRIGGER_VERSION}`);
  logger.info(`Log level set to: ${shared.text("log-level")}`);
  const collector = host.memory === undefined ? undefined : startIdleCollector(host.memory, { calls: 0 }, systemClock);
  const deps: RoleDeps = {
    logger,
    clock: systemClock,
    random: systemRandom,
    transport: transportOf("own"),
    process: ownProcess(systemClock),
    environment: host.env,
    serviceName: program.scope.replace(".", "-"),
  };
  try {
    const forcedCode = await Promise.race([runRole(settings, deps, start, stop), forced.promise]);
    if (forcedCode !== undefined) {
      return forcedCode;
    }
    logger.info(program.farewell);
    return 0;
  } finally {
    collector?.cancel();
  }
}

/** The first signal stops the role, the second ends the process at once, as an exception that nobody caught does. */
function stopOnSignals(
  host: HostProcess,
  logger: LeveledLogger,
  stop: Cancellation,
  force: (exitCode: number) => void,
): void {
  const signals = logger.scope("dapr.signals");
  const onSignal = (name: string): void => {
    if (stop.aborted) {
      signals.fatal(`Received signal '${name}' during shutdown; exiting immediately`);
      force(1);
      return;
    }
    signals.info(`Received signal '${name}'; beginning shutdown`);
    stop.abort(new Error(`cancelling context, received signal ${name}`));
  };
  host.onSignal("SIGINT", () => onSignal("interrupt"));
  host.onSignal("SIGTERM", () => onSignal("terminated"));
  host.onFailure((error) => {
    logger.fatal(`uncaught exception: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    force(1);
  });
}
