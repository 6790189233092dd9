import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { Command, Outcome } from "./protocol.ts";

/** A peer may take this long over one command, in milliseconds; then the test is told instead of running into its limit. */
const COMMAND_MS_MAX = 90_000;

interface Pending {
  readonly resolve: (outcome: Outcome) => void;
  readonly reject: (error: Error) => void;
}

/** A peer of another gRPC stack: a process that takes commands and answers each of them. */
export class PeerProcess {
  readonly child: ChildProcess;
  private readonly pending = new Map<number, Pending>();
  private nextId = 1;
  private errors = "";

  constructor(command: readonly string[]) {
    const [program = "", ...args] = command;
    this.child = spawn(program, args, { stdio: ["pipe", "pipe", "pipe"] });
    createInterface({ input: this.child.stdout as NodeJS.ReadableStream }).on("line", (line) => {
      const outcome = JSON.parse(line) as Outcome;
      const asked = this.pending.get(outcome.id);
      this.pending.delete(outcome.id);
      if (outcome.error === undefined || outcome.error === "") asked?.resolve(outcome);
      else asked?.reject(new Error(outcome.error));
    });
    this.child.stderr?.on("data", (chunk: Buffer) => {
      this.errors = (this.errors + chunk.toString()).slice(-4_000);
    });
    this.child.on("error", (error) => this.fail(error.message));
    this.child.on("close", (code, signal) => this.fail(`it ended with ${signal ?? code}`));
  }

  /** @throws Error when the peer says so, dies or takes too long */
  async run(command: Omit<Command, "id">): Promise<Outcome> {
    const id = this.nextId;
    this.nextId += 1;
    const answered = new Promise<Outcome>((resolve, reject) => this.pending.set(id, { resolve, reject }));
    this.child.stdin?.write(`${JSON.stringify({ ...command, id })}\n`);
    const timer = setTimeout(() => {
      this.pending.get(id)?.reject(new Error(`no answer to ${JSON.stringify(command)}\n${this.errors}`));
    }, COMMAND_MS_MAX);
    try {
      return await answered;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Stops the process without a word to its peers (SIGSTOP), or lets it go on. */
  freeze(frozen: boolean): void {
    this.child.kill(frozen ? "SIGSTOP" : "SIGCONT");
  }

  async end(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const closed = new Promise<void>((resolve) => this.child.once("close", () => resolve()));
    this.child.kill("SIGKILL");
    await closed;
  }

  private fail(reason: string): void {
    for (const { reject } of this.pending.values()) reject(new Error(`${reason}\n${this.errors}`));
    this.pending.clear();
  }
}
