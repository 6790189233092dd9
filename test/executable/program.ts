import { spawn, spawnSync } from "node:child_process";
import { chmodSync, constants, copyFileSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { freePort } from "../harness/test-app.ts";

const BUILT = resolve(import.meta.dirname, "../../dist/outrigger");

/** A start that takes longer has failed; an ordinary one takes a fraction of a second. */
const START_MS_MAX = 60_000;

/**
 * The executable alone in a folder that everyone may read, so that nothing of this repository is beside it.
 * Throws where `npm run build` has not been run.
 */
export function installed(): { readonly folder: string; readonly program: string } & Disposable {
  if (!existsSync(BUILT)) throw new Error("dist/outrigger is not there: npm run build");
  const folder = mkdtempSync(join(tmpdir(), "outrigger-executable-"));
  chmodSync(folder, 0o777);
  const program = join(folder, "outrigger");
  copyFileSync(BUILT, program, constants.COPYFILE_FICLONE);
  chmodSync(program, 0o755);
  return { folder, program, [Symbol.dispose]: () => rmSync(folder, { recursive: true }) };
}

/** Runs a program to its end in an empty environment, unless `env` says otherwise. */
export function run(program: string, args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const { status, stdout, stderr } = spawnSync(program, args, { env, encoding: "utf8", timeout: START_MS_MAX });
  return { status, stdout, stderr };
}

export interface StartOptions {
  /** The name it is started under, when that is not its path. */
  readonly argv0?: string;
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly uid?: number;
  /** For those who must know them before the sidecar is there; free ones by default. */
  readonly httpPort?: number;
  readonly grpcPort?: number;
}

/** A sidecar in a process of its own, ready to serve; disposing of it kills what is left. */
export interface RunningSidecar extends AsyncDisposable {
  readonly pid: number;
  /** Of its HTTP API. */
  readonly port: number;
  /** Of its gRPC API. */
  readonly grpcPort: number;
  /** The exit code, or the name of the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals>;
  fetch(path: string, init?: RequestInit): Promise<Response>;
  /** @returns the exit code, or the name of the signal that ended it */
  stop(signal: NodeJS.Signals): Promise<number | NodeJS.Signals>;
  /** What it has written to standard error. */
  stderr(): string;
}

/** Starts a sidecar on free ports and waits until `/v1.0/healthz` says it is ready. */
export async function startSidecar(
  program: string,
  args: readonly string[],
  { argv0, cwd, env = {}, uid, httpPort, grpcPort }: StartOptions = {},
): Promise<RunningSidecar> {
  const http = httpPort ?? (await freePort());
  const grpc = grpcPort ?? (await freePort());
  const child = spawn(
    program,
    [
      ...args,
      `--dapr-http-port=${http}`,
      `--dapr-grpc-port=${grpc}`,
      `--dapr-internal-grpc-port=${await freePort()}`,
      `--metrics-port=${await freePort()}`,
      "--dapr-listen-addresses=127.0.0.1",
      "--metrics-listen-address=127.0.0.1",
    ],
    {
      env: { ...env },
      stdio: ["ignore", "pipe", "pipe"],
      ...(argv0 === undefined ? {} : { argv0 }),
      ...(cwd === undefined ? {} : { cwd }),
      ...(uid === undefined ? {} : { uid, gid: uid }),
    },
  );
  const written = { stdout: "", stderr: "" };
  child.stdout.on("data", (chunk: Buffer) => (written.stdout += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (written.stderr += chunk.toString()));
  const ended = new Promise<number | NodeJS.Signals>((end, fail) => {
    child.once("error", fail);
    child.once("close", (code, signal) => end(signal ?? code ?? 0));
  });

  const ask = (path: string, init?: RequestInit): Promise<Response> => fetch(`http://127.0.0.1:${http}${path}`, init);
  const ready = async (): Promise<void> => {
    while ((await ask("/v1.0/healthz").catch(() => undefined))?.status !== 204) await pause(10);
  };
  const outcome = await Promise.race([ready(), ended, pause(START_MS_MAX, "nothing")]);
  if (outcome !== undefined) {
    child.kill("SIGKILL");
    throw new Error(`the sidecar came to ${outcome}:\n${written.stdout}${written.stderr}`);
  }
  return {
    pid: child.pid ?? 0,
    port: http,
    grpcPort: grpc,
    ended,
    fetch: ask,
    stop(signal) {
      child.kill(signal);
      return ended;
    },
    stderr: () => written.stderr,
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await ended;
    },
  };
}
