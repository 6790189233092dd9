import { isatty } from "node:tty";
import type { Session } from "../dev/session.ts";
import type { SessionOptions, SidecarSettings } from "../dev/session-types.ts";
import { systemRandom } from "../kit/random.ts";
import { systemClock } from "../kit/system-clock.ts";
import type { LogSink } from "../telemetry/log/sink.ts";
import type { HostProcess } from "./host-process.ts";
import { localOffset } from "./local-time.ts";
import { parseSidecarFlags } from "./sidecar-invocation.ts";

/** The last lines get this long to reach a reader that has stopped reading. */
const EXIT_FLUSH_MS_MAX = 500;

type Hosted = Pick<
  SessionOptions,
  "clock" | "random" | "utcOffset" | "hostname" | "environment" | "readSidecarFlags" | "sidecarProgram"
>;

/** What a session takes from the process it runs in. */
export function hostedSession(host: HostProcess): Hosted {
  return {
    clock: systemClock,
    random: systemRandom,
    utcOffset: localOffset,
    hostname: host.hostname,
    environment: host.env,
    readSidecarFlags: (args) => readSidecarFlags(args, host),
    sidecarProgram: [...host.program(), "sidecar"],
  };
}

function readSidecarFlags(args: readonly string[], host: HostProcess): SidecarSettings {
  const invocation = parseSidecarFlags(args, host.env);
  if (invocation.action !== "run") {
    throw new Error(`a sidecar's flags cannot ask for ${invocation.action}`);
  }
  const { options, log, http2 } = invocation;
  return { options, http2, logLevel: log.level, logAsJson: log.asJson };
}

/** Whether standard output shows colours (no-color.org, force-color.org). */
export function showsColors({ env }: HostProcess): boolean {
  if ((env["NO_COLOR"] ?? "") !== "") {
    return false;
  }
  const forced = env["FORCE_COLOR"] ?? "";
  return forced === "" ? isatty(1) && env["TERM"] !== "dumb" : forced !== "0";
}

/** How a session is being ended. */
export interface SessionStop {
  readonly isAsked: boolean;
  /** Resolves to the exit code when all is killed at once: on a second signal, or a bug that nothing can go on after. */
  readonly forced: Promise<number>;
  /** Waits until the last lines are written, or cannot be. */
  flush(sink: LogSink): Promise<void>;
}

/** The first signal stops the session, the second kills it; an exception that nobody caught does so as well. */
export function stopOnSignals(session: Session, host: HostProcess, onStop: () => void): SessionStop {
  const forced = Promise.withResolvers<number>();
  let isAsked = false;
  const stop = (): void => {
    if (isAsked) {
      session.kill();
      forced.resolve(1);
      return;
    }
    isAsked = true;
    onStop();
    session.stop();
  };
  host.onSignal("SIGINT", stop);
  host.onSignal("SIGTERM", stop);
  host.onSignal("SIGHUP", stop);
  host.onFailure((error) => {
    host.err(`uncaught exception: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    session.kill();
    forced.resolve(1);
  });
  return {
    get isAsked() {
      return isAsked;
    },
    forced: forced.promise,
    async flush(sink) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, EXIT_FLUSH_MS_MAX);
      await Promise.race([sink.close(), promise]);
      clearTimeout(timer);
    },
  };
}
