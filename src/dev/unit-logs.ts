import { type LogFile, openLogFile } from "./log-file.ts";
import { daprAppLine } from "./line-console.ts";
import type { AppPlan, LineConsole } from "./types.ts";

/** Where the lines of one app and its sidecar go. */
export class UnitLogs {
  readonly #plan: AppPlan;
  readonly #console: LineConsole;
  readonly #app: LogFile | undefined;
  readonly #sidecar: LogFile | undefined;

  /** @throws the system's error when a log file cannot be made */
  constructor(plan: AppPlan, console: LineConsole, startedMs: number) {
    this.#plan = plan;
    this.#console = console;
    const open = (kind: "app" | "daprd"): LogFile => openLogFile(plan.logDirectory, plan.appId, kind, startedMs);
    this.#app = plan.appLog === "console" || plan.command.length === 0 ? undefined : open("app");
    this.#sidecar = plan.sidecarLog === "console" ? undefined : open("daprd");
  }

  get appPath(): string | undefined {
    return this.#app?.path;
  }

  get sidecarPath(): string | undefined {
    return this.#sidecar?.path;
  }

  app(stream: "stdout" | "stderr", line: string): void {
    if (this.#plan.appLog !== "file") {
      this.#console.app(this.#plan.appId, stream, line);
    }
    this.#app?.line(daprAppLine("multi", this.#plan.appId, line));
  }

  sidecar(line: string): void {
    if (this.#plan.sidecarLog !== "file") {
      this.#console.sidecar(this.#plan.appId, line);
    }
    this.#sidecar?.line(line);
  }

  async close(): Promise<void> {
    await Promise.all([this.#app?.close(), this.#sidecar?.close()]);
  }
}
