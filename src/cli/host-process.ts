import type { CollectableProcess } from "./idle-collector.ts";
import type { Environment } from "./environment.ts";

export type HostSignal = "SIGINT" | "SIGTERM" | "SIGHUP";

/** The process as commands see it; `main.ts` gives the real one, tests give their own. */
export interface HostProcess {
  readonly env: Environment;
  readonly cwd: string;
  /** -1 where the system has no user ids. */
  readonly userId: number;
  readonly hostname: string;
  /** Undefined where Node was not started with `--expose-gc`, as the single executable is. */
  readonly memory?: CollectableProcess | undefined;
  /** The words that start this very program, for processes of the same kind; arguments follow. */
  program(): readonly string[];
  /** Standard input, opened with the first read. */
  stdin(): AsyncIterable<Uint8Array | string>;
  /** To standard output, as it is. */
  out(text: string): void;
  /** To standard error, as it is. */
  err(text: string): void;
  onSignal(signal: HostSignal, listener: () => void): void;
  /** Exceptions and rejections that nobody caught; with a listener the process lives on until the command returns. */
  onFailure(listener: (error: unknown) => void): void;
}

/** A command of the program; resolves to the exit code. */
export type Command = (args: readonly string[], host: HostProcess) => Promise<number>;
