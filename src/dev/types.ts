import type { ChildProcess } from "node:child_process";
import type { SidecarOptions } from "../sidecar/options.ts";

/** Where the lines of an app or of its sidecar go; the words are the run file's. */
export type LogDestination = "console" | "file" | "fileAndConsole";

/** The ports of one sidecar; 0 picks a free one. */
export interface SidecarPortPlan {
  readonly http: number;
  readonly grpc: number;
  readonly internalGrpc: number;
  readonly metrics: number;
}

/**
 * One app and its sidecar with everything decided but free ports: what `outrigger run`, a run file and `outrigger dev`
 * all come down to.
 */
export interface AppPlan {
  readonly appId: string;
  /** Working directory of the command, absolute. */
  readonly directory: string;
  /** Program and arguments; empty: a sidecar without a process of ours beside it. */
  readonly command: readonly string[];
  /** Added to the app's environment. Dapr's own variables (`DAPR_HTTP_PORT` …) are not among them. */
  readonly env: Readonly<Record<string, string>>;
  /** Undefined: no app channel. */
  readonly appPort: number | undefined;
  readonly appProtocol: SidecarOptions["appProtocol"];
  /** Where the app listens. */
  readonly appChannelAddress: string;
  readonly ports: SidecarPortPlan;
  /** Folders that exist, absolute. */
  readonly resourcesPaths: readonly string[];
  /** Files that exist, absolute; later ones lie over earlier ones. */
  readonly configPaths: readonly string[];
  /** daprd's flags for everything that is not said above (`--app-max-concurrency=2` …), each as one word. */
  readonly sidecarFlags: readonly string[];
  readonly appLog: LogDestination;
  readonly sidecarLog: LogDestination;
  /** Folder of the log files, absolute; it need not exist. */
  readonly logDirectory: string;
}

/** Everything that one command runs. */
export interface RunPlan {
  /** The run file's `name`, or the folder's. */
  readonly name: string;
  /** Absolute; undefined for `outrigger run` on one app and for a folder. */
  readonly runFile: string | undefined;
  readonly apps: readonly AppPlan[];
  /** What was odd but not wrong, as lines to show: unknown keys, apps without a command, what Dapr does otherwise. */
  readonly warnings: readonly string[];
}

/** How a child process ended. */
export interface ChildEnd {
  /** Null when a signal ended it. */
  readonly code: number | null;
  readonly signal: NonNullable<ChildProcess["signalCode"]> | null;
  /** Why it could not be started at all, in words for a person. */
  readonly startError?: string;
}

/** A child process with everything it has started itself: it is stopped as a group. */
export interface Child {
  /** Undefined when it could not be started. */
  readonly pid: number | undefined;
  /** Resolves once, when the process has ended and its output has been read to the end. */
  readonly ended: Promise<ChildEnd>;
  /** Asks the group to end (SIGTERM) and kills what is left of it after the grace. Resolves with `ended`. */
  stop(graceMs: number): Promise<ChildEnd>;
}

/**
 * Kills the process groups it has been told of when this process is gone without having said so (SIGKILL), so that no
 * app outlives the one who started it.
 */
export interface OrphanGuard {
  add(pid: number): void;
  remove(pid: number): void;
  close(): void;
}

/** What a person at the terminal sees: lines of several apps, each with its prefix, and our own. */
export interface LineConsole {
  /** A line that an app wrote, without its end. */
  app(appId: string, stream: "stdout" | "stderr", line: string): void;
  /** A line of an app's sidecar. */
  sidecar(appId: string, line: string): void;
  /** What the command itself has to tell, about one app or (undefined) about all. */
  say(level: "info" | "success" | "warn" | "error", appId: string | undefined, text: string): void;
}
