import { type ChildProcess, spawn } from "node:child_process";
import { appendFileSync, existsSync, readFileSync } from "node:fs";
import { delimiter, dirname, resolve } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";
import { type DataFolder, environmentOf } from "./data-folder.ts";

const OUTRIGGER = resolve(import.meta.dirname, "../../src/main.ts");

/** For all apps and sidecars to be up, on a machine that is busy with other things. */
const READY_MS_MAX = 60_000;
const READY_POLL_MS = 50;
const PROBE_MS_MAX = 1_000;
/** What does not end by then is killed; `outrigger dev` itself allows a second. */
const STOP_MS_MAX = 5_000;

const pid = z.int().positive().optional();
const sessionSchema = z.object({
  pid: z.int(),
  apps: z.array(
    z.object({
      appId: z.string(),
      appPid: pid,
      sidecarPid: pid,
      appPort: z.int().optional(),
      httpPort: z.int().optional(),
    }),
  ),
});

/** What runs now, as `outrigger dev` tells it. */
export type Session = z.infer<typeof sessionSchema>;

export interface DevOptions {
  readonly folder: DataFolder;
  readonly runFile: string;
  readonly separateSidecars: boolean;
  /** Whether an app is started again when its source changes. */
  readonly watch: boolean;
  /** Beside what this process has; for the runtime and the services. */
  readonly environment?: Readonly<Record<string, string>>;
}

/** `outrigger dev` as a child process, in a process group of its own: a Ctrl-C reaches it through `stop` only. */
export class DevProcess {
  readonly #child: ChildProcess;
  readonly #folder: DataFolder;
  readonly #ended: Promise<string>;
  #listener: ((line: string) => void) | undefined;
  #isOver = false;

  constructor({ folder, runFile, separateSidecars, watch, environment }: DevOptions) {
    const flags = [...(separateSidecars ? ["--separate-sidecars"] : []), ...(watch ? [] : ["--no-watch"])];
    this.#folder = folder;
    this.#child = spawn(
      process.execPath,
      [...process.execArgv, OUTRIGGER, "dev", runFile, "--data-dir", folder.runtime, ...flags],
      {
        detached: true,
        stdio: ["ignore", "pipe", "pipe"],
        env: {
          ...process.env,
          ...environmentOf(folder),
          ...environment,
          // The run file says `node`: this one.
          PATH: [dirname(process.execPath), process.env["PATH"] ?? ""].join(delimiter),
        },
      },
    );
    for (const input of [this.#child.stdout, this.#child.stderr]) {
      if (input === null) continue;
      createInterface({ input }).on("line", (line) => {
        appendFileSync(folder.log, `${line}\n`);
        this.#listener?.(line);
      });
    }
    const guard = startGuard(this.#child.pid);
    this.#ended = new Promise((settle) => {
      this.#child.once("error", (error) => settle(error.message));
      this.#child.once("exit", (code, signal) => settle(signal ?? `exit code ${code}`));
    });
    void this.#ended.then(() => {
      this.#isOver = true;
      guard?.kill("SIGKILL");
    });
  }

  /** Hands over each line that is printed from now on; it is in the log in any case. */
  listen(listener: (line: string) => void): void {
    this.#listener = listener;
  }

  /** Rejects when the process has ended, with the last that it printed; never resolves. */
  async ended(): Promise<never> {
    const how = await this.#ended;
    throw new Error(`outrigger dev ended: ${how}\n${lastLines(this.#folder.log)}`);
  }

  /**
   * Waits until the façade answers and every sidecar is ready: that is when it has subscribed to what its app wants to
   * hear, and an event to a topic that nobody has subscribed to yet is heard by nobody.
   * @returns the façade's URL
   * @throws Error when the process ends before, or when it takes too long; the signal's reason once it is aborted
   */
  async ready(signal: AbortSignal): Promise<string> {
    const deadlineMs = performance.now() + READY_MS_MAX;
    for (;;) {
      if (this.#isOver) await this.ended();
      const apps = this.session()?.apps ?? [];
      const facadeUrl = `http://127.0.0.1:${apps.find(({ appId }) => appId === "facade")?.appPort}`;
      const probes = [
        `${facadeUrl}/healthz`,
        ...apps.map(({ httpPort }) => `http://127.0.0.1:${httpPort}/v1.0/healthz`),
      ];
      // An app that does not run may have its port taken by somebody who answers.
      const isRunning = apps.length > 0 && apps.every(({ appPid }) => appPid !== undefined);
      if (isRunning && (await Promise.all(probes.map(isHealthy))).every(Boolean)) return facadeUrl;
      if (performance.now() > deadlineMs) {
        throw new Error(`not everything was up within ${READY_MS_MAX / 1_000} s\n${lastLines(this.#folder.log)}`);
      }
      await delay(READY_POLL_MS, undefined, { signal });
    }
  }

  /** Undefined while this process has not written any yet: what a former one left does not count. */
  session(): Session | undefined {
    if (!existsSync(this.#folder.session)) return undefined;
    const session = sessionSchema.parse(JSON.parse(readFileSync(this.#folder.session, "utf8")));
    return session.pid === this.#child.pid ? session : undefined;
  }

  /** As Ctrl-C does it. Resolves when the process is gone. */
  async stop(): Promise<void> {
    this.#child.kill("SIGINT");
    const impatience = setTimeout(() => this.#child.kill("SIGKILL"), STOP_MS_MAX);
    await this.#ended;
    clearTimeout(impatience);
  }

  /** As a power cut does it. */
  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#ended;
  }
}

/**
 * Ends the process as Ctrl-C does when this one is gone without having done so, however it went: a shell in a session of
 * its own waits for the other end of its pipe to close.
 */
function startGuard(pid: number | undefined): ChildProcess | undefined {
  if (pid === undefined || process.platform === "win32") return undefined;
  const script = 'trap "" INT TERM HUP; read -r _; kill -INT "$0"';
  const guard = spawn("/bin/sh", ["-c", script, String(pid)], { detached: true, stdio: ["pipe", "ignore", "ignore"] });
  return guard.on("error", () => undefined);
}

async function isHealthy(url: string): Promise<boolean> {
  try {
    return (await fetch(url, { signal: AbortSignal.timeout(PROBE_MS_MAX) })).ok;
  } catch {
    return false;
  }
}

function lastLines(path: string): string {
  return existsSync(path) ? readFileSync(path, "utf8").split("\n").slice(-20).join("\n") : "";
}
