import type { Clock } from "../kit/clock.ts";
import type { LogLevel } from "../kit/logger.ts";
import type { Random } from "../kit/random.ts";
import type { Http2Implementation } from "../net/h2/implementations.ts";
import type { SidecarOptions } from "../sidecar/options.ts";
import type { UtcOffset } from "../telemetry/log/timestamp.ts";
import type { SessionVoice } from "./session-voice.ts";
import type { LineConsole, RunPlan } from "./types.ts";

/** A sidecar's command line, read. */
export interface SidecarSettings {
  readonly options: SidecarOptions;
  readonly http2: Http2Implementation;
  readonly logLevel: LogLevel;
  readonly logAsJson: boolean;
}

/** What sets one command that runs a plan apart from another. */
export interface SessionHabits {
  /** True: all is kept up until the session is stopped. False: an app and its sidecar end with each other. */
  readonly keepsUp: boolean;
  /** An app and its sidecar start when those before them in the plan have; a subscriber can so be up before a publisher. */
  readonly startsInOrder: boolean;
  /** Each sidecar is a process of its own. */
  readonly separateSidecars: boolean;
  /** Changes of sources and resources start again what they are for. */
  readonly watches: boolean;
  /** Milliseconds that apps, then sidecars, get to end in. */
  readonly appGraceMs: number;
  readonly sidecarGraceMs: number;
  /** daprd's flags for every sidecar; those of the plan win. */
  readonly sidecarFlags: readonly string[];
}

export interface SessionOptions {
  readonly plan: RunPlan;
  readonly habits: SessionHabits;
  readonly console: LineConsole;
  readonly voice: SessionVoice;
  readonly clock: Clock;
  readonly random: Random;
  readonly utcOffset: UtcOffset;
  readonly hostname: string;
  /** What apps and sidecars inherit. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Where the session says who runs where (`session.json`), and what no watcher looks at; undefined: nowhere. */
  readonly dataDir: string | undefined;
  /** Where a scheduler of this process keeps jobs and reminders, made with the first of them; absolute. */
  readonly jobsFolder: string;
  /** Name resolver of sidecars whose Configuration names none. */
  readonly nameResolution: string;
  /** @throws Error for flags that cannot be */
  readonly readSidecarFlags: (args: readonly string[]) => SidecarSettings;
  /** Program and arguments that daprd's flags are added to. */
  readonly sidecarProgram: readonly string[];
}
