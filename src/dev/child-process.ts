import { type ChildProcess, spawn } from "node:child_process";
import { statSync } from "node:fs";
import { join } from "node:path";
import type { Readable } from "node:stream";
import type { Clock, Timer } from "../kit/clock.ts";
import { errorMessage } from "../kit/error-message.ts";
import { readLines } from "./line-reader.ts";
import { ProcessGroup } from "./process-group.ts";
import type { Child, ChildEnd, OrphanGuard } from "./types.ts";

/** What a process leaves behind in its group when it ends by itself has this long to end too, in milliseconds. */
const LEFT_BEHIND_GRACE_MS = 500;

/** How long a killed group may take to go, and the output of one that has gone, in milliseconds. */
const KILLED_WAIT_MS = 1_000;
const OUTPUT_WAIT_MS = 500;

const POLL_MS = 20;

export interface ChildOptions {
  /** Program and arguments. */
  readonly command: readonly string[];
  /** Working directory, absolute. */
  readonly directory: string;
  /** All of the child's environment: nothing is inherited besides. `PATH` in it says where the program is looked for. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Told of the group for as long as there is something left of it. */
  readonly guard: OrphanGuard;
  readonly clock: Clock;
  /** Every line the group writes, without its end; a very long one comes in pieces. */
  readonly onLine: (stream: "stdout" | "stderr", line: string) => void;
}

/**
 * Starts a program in a process group of its own, out of reach of the terminal's signals and without standard input. It
 * never throws: a program that cannot be started is a child that has ended with a `startError`. When the program ends,
 * what it left in its group is ended too, so that nothing of it holds a port when it is started again. On Windows the
 * tree is ended by taskkill; that part has not been tested.
 */
export function startChild(options: ChildOptions): Child {
  let child: ChildProcess;
  try {
    child = launch(options);
  } catch (error) {
    return neverStarted(startErrorText(error, options));
  }
  const { pid } = child;
  if (pid !== undefined) {
    options.guard.add(pid);
    return new RunningChild(child, pid, options);
  }
  const ended = new Promise<ChildEnd>((resolve) => {
    child.once("error", (error) => resolve(failedStart(startErrorText(error, options))));
  });
  return { pid: undefined, ended, stop: () => ended };
}

function launch({ command, directory, env }: ChildOptions): ChildProcess {
  const [program = "", ...args] = command;
  const windows = process.platform === "win32";
  // npm and its like are scripts there, which only the shell can start.
  return spawn(windows ? command.map(quotedForWindows).join(" ") : program, windows ? [] : args, {
    cwd: directory,
    env: { ...env },
    detached: !windows,
    shell: windows,
    windowsHide: true,
    stdio: ["ignore", "pipe", "pipe"],
  });
}

function quotedForWindows(word: string): string {
  return /^[\w./:\\=@-]+$/.test(word) ? word : `"${word.replaceAll('"', '""')}"`;
}

function failedStart(startError: string): ChildEnd {
  return { code: null, signal: null, startError };
}

function neverStarted(startError: string): Child {
  const ended = Promise.resolve(failedStart(startError));
  return { pid: undefined, ended, stop: () => ended };
}

/** The system says ENOENT for a missing folder and a missing program alike. */
function startErrorText(error: unknown, { command, directory }: ChildOptions): string {
  const [program = ""] = command;
  if (program === "") {
    return "there is no command to start: say which program to run";
  }
  const folder = statSync(directory, { throwIfNoEntry: false });
  if (folder === undefined || !folder.isDirectory()) {
    return `cannot start ${program}: its working directory ${directory} ${folder === undefined ? "does not exist" : "is not a folder"}`;
  }
  const path = /[/\\]/.test(program);
  switch ((error as NodeJS.ErrnoException).code) {
    case "ENOENT":
      return path
        ? `cannot start ${program}: there is no such file, or the interpreter in its first line does not exist (relative to ${directory})`
        : `cannot start ${program}: no such program in the PATH; install it or correct the command`;
    case "EACCES":
      return `cannot start ${program}: not an executable file; make it one with chmod +x ${path ? program : join(directory, program)}`;
    case "ENOEXEC":
      return `cannot start ${program}: not a program for this system; a script needs a first line like #!/bin/sh`;
    default:
      return `cannot start ${program}: ${errorMessage(error)}`;
  }
}

class RunningChild implements Child {
  readonly pid: number;
  readonly ended: Promise<ChildEnd>;
  readonly #options: ChildOptions;
  readonly #group: ProcessGroup;
  #asked = false;
  #killed = false;
  #killAtMs = Infinity;
  #killTimer: Timer | undefined;
  #over = false;

  constructor(child: ChildProcess, pid: number, options: ChildOptions) {
    this.pid = pid;
    this.#options = options;
    this.#group = new ProcessGroup(pid);
    const exited = new Promise<ChildEnd>((resolve) => {
      child.once("exit", (code, signal) => resolve({ code, signal }));
    });
    const closed = new Promise<void>((resolve) => {
      child.once("close", () => resolve());
    });
    // A failed kill(2) is reported here; what is left is looked at by its group anyway.
    child.on("error", () => {});
    for (const stream of ["stdout", "stderr"] as const) {
      readLines(child[stream] as Readable, (line) => options.onLine(stream, line));
    }
    this.ended = this.#end(child, exited, closed);
  }

  stop(graceMs: number): Promise<ChildEnd> {
    if (!this.#over) {
      this.#askToEnd(graceMs);
    }
    return this.ended;
  }

  async #end(child: ChildProcess, exited: Promise<ChildEnd>, closed: Promise<void>): Promise<ChildEnd> {
    const end = await exited;
    if (await this.#group.alive()) {
      if (!this.#asked) {
        this.#askToEnd(LEFT_BEHIND_GRACE_MS);
      }
      await this.#groupGone();
    }
    await this.#within(OUTPUT_WAIT_MS, closed);
    // Whoever left the group and still holds the pipe is not waited for.
    child.stdout?.destroy();
    child.stderr?.destroy();
    this.#over = true;
    this.#killTimer?.cancel();
    this.#options.guard.remove(this.pid);
    return end;
  }

  /** A later call may only shorten the grace that is running. */
  #askToEnd(graceMs: number): void {
    if (graceMs <= 0) {
      this.#kill();
      return;
    }
    if (!this.#asked) {
      this.#asked = true;
      this.#group.signal("SIGTERM");
    }
    const { clock } = this.#options;
    const killAtMs = clock.monotonicMs() + graceMs;
    if (killAtMs < this.#killAtMs) {
      this.#killAtMs = killAtMs;
      this.#killTimer?.cancel();
      this.#killTimer = clock.after(graceMs, () => this.#kill());
    }
  }

  #kill(): void {
    this.#asked = true;
    this.#killed = true;
    this.#killTimer?.cancel();
    this.#group.signal("SIGKILL");
  }

  /** Polls, since nobody tells of the end of processes that are not our own children. */
  async #groupGone(): Promise<void> {
    const { clock } = this.#options;
    let killedMs: number | undefined;
    while (await this.#group.alive()) {
      if (this.#killed) {
        killedMs ??= clock.monotonicMs();
        // A system call that cannot be interrupted is not waited for.
        if (clock.monotonicMs() - killedMs > KILLED_WAIT_MS) {
          return;
        }
      }
      await new Promise<void>((resolve) => void clock.after(POLL_MS, resolve));
    }
  }

  #within(limitMs: number, event: Promise<void>): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#options.clock.after(limitMs, resolve);
      void event.then(() => {
        timer.cancel();
        resolve();
      });
    });
  }
}
