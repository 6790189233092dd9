import { systemRandom } from "../kit/random.ts";
import { systemClock } from "../kit/system-clock.ts";
import { createSharedScope } from "../inventory/shared-scope.ts";
import { transportOf } from "../net/h2/implementations.ts";
import { componentEnvironment } from "../sidecar/environment.ts";
import type { SidecarOptions } from "../sidecar/options.ts";
import { createSidecar } from "../sidecar/sidecar.ts";
import type { Sidecar, SidecarDeps } from "../sidecar/types.ts";
import { RUNTIME_VERSION } from "../sidecar/version.ts";
import { createLogger, type LeveledLogger } from "../telemetry/log/logger.ts";
import { ownProcess } from "../telemetry/metrics/process-metrics.ts";
import type { HostProcess } from "./host-process.ts";
import { startIdleCollector } from "./idle-collector.ts";
import { localOffset } from "./local-time.ts";
import { flushProgramLog, openProgramLog } from "./program-log.ts";
import type { SidecarInvocation } from "./sidecar-invocation.ts";
import { SidecarSupervisor } from "./sidecar-supervisor.ts";
import { stablePort } from "./stable-port.ts";
import { OUTRIGGER_VERSION } from "../kit/release.ts";

/**
 * `keep`: components that do not come up are left out and tried again; set by `outrigger dev` for its sidecars, which also
 * tells them when their files have changed, so that they do not follow those themselves.
 */
const COMPONENT_FAILURES_VARIABLE = "OUTRIGGER_COMPONENT_FAILURES";

type RunInvocation = Extract<SidecarInvocation, { readonly action: "run" }>;

/** Runs a sidecar until it ends or signals end it. @returns the exit code */
export async function runSidecar(invocation: RunInvocation, host: HostProcess): Promise<number> {
  for (const notice of invocation.notices) {
    host.err(`${notice}\n`);
  }
  const { sink, problem } = openProgramLog(invocation.log.file);
  const logger = createLogger({
    appId: invocation.options.appId,
    instance: host.hostname,
    version: RUNTIME_VERSION,
    level: invocation.log.level,
    asJson: invocation.log.asJson,
    sink,
    clock: systemClock,
    utcOffset: localOffset,
  });
  try {
    if (problem !== undefined) {
      logger.fatal(problem);
      return 1;
    }
    return await superviseSidecar(invocation, host, logger);
  } finally {
    await flushProgramLog(sink);
  }
}

async function superviseSidecar(invocation: RunInvocation, host: HostProcess, logger: LeveledLogger): Promise<number> {
  logger.info(`Starting Dapr Runtime -- version ${RUNTIME_VERSION} -- commit outrigger-${OUTRIGGER_VERSION}`);
  logger.info(`Log level set to: ${invocation.log.level}`);
  for (const warning of invocation.warnings) {
    logger.warn(warning);
  }
  const portless = keepsFailures(host) ? { ...invocation.options, hotReload: undefined } : invocation.options;
  const options = await withInternalPort(portless, host);
  const shared = createSharedScope();
  const activity = { calls: 0 };
  const create = (): Sidecar =>
    createSidecar(options, {
      ...sidecarDeps(options, host, logger, shared),
      transport: transportOf(invocation.http2),
      activity,
      ...(keepsFailures(host) ? {} : { restart: () => supervisor.restart("hangup") }),
    });
  const supervisor = new SidecarSupervisor(create, logger);
  host.onSignal("SIGINT", () => supervisor.stopOrForce("interrupt"));
  host.onSignal("SIGTERM", () => supervisor.stopOrForce("terminated"));
  host.onSignal("SIGHUP", () => supervisor.restart("hangup"));
  host.onFailure((error) => supervisor.fail(error));
  const collector = host.memory === undefined ? undefined : startIdleCollector(host.memory, activity, systemClock);
  try {
    return await supervisor.run();
  } finally {
    collector?.cancel();
  }
}

function sidecarDeps(
  options: SidecarOptions,
  host: HostProcess,
  logger: LeveledLogger,
  shared: SidecarDeps["shared"],
): Omit<SidecarDeps, "transport"> {
  return {
    logger,
    clock: systemClock,
    random: systemRandom,
    environment: componentEnvironment(options, host.env),
    shared,
    nameResolution: "mdns",
    process: ownProcess(systemClock),
    streamGarbage: host.memory?.streamed,
    componentFailures: keepsFailures(host) ? "keep" : "stop",
  };
}

function keepsFailures({ env }: HostProcess): boolean {
  return env[COMPONENT_FAILURES_VARIABLE] === "keep";
}

async function withInternalPort(options: SidecarOptions, host: HostProcess): Promise<SidecarOptions> {
  if (options.internalGrpcPort !== 0) {
    return options;
  }
  const { cwd, userId, hostname } = host;
  return { ...options, internalGrpcPort: await stablePort({ appId: options.appId, cwd, userId, hostname }) };
}
