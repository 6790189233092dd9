import { spawn } from "node:child_process";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import type { SessionFile } from "../../src/dev/session-file.ts";
import { type Folder, temporaryFolder } from "./resources.ts";
import { freePort } from "./test-app.ts";
import { until } from "./until.ts";

const MAIN = resolve(import.meta.dirname, "../../src/main.ts");

/** Several processes that start at once on a busy machine take longer than what one test waits for within itself. */
const PATIENCE_MS = 30_000;

/** How the program ended, and how long it took from when that was asked for. */
export interface ProgramEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly afterMs: number;
}

/** `outrigger` in a process of its own; disposing of it kills what is left. */
export interface Program extends AsyncDisposable {
  readonly pid: number;
  /** All it has written so far. */
  readonly output: string;
  readonly ended: Promise<ProgramEnd>;
  /** Resolves when the text has been written, to all that was written up to then. */
  says(text: string): Promise<string>;
  signal(name: NodeJS.Signals): Promise<ProgramEnd>;
}

export interface ProgramOptions {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Becomes its standard input. */
  readonly input?: string;
  /** Another program than this repository's sources, such as the single executable. */
  readonly program?: string;
}

export function startOutrigger(args: readonly string[], { cwd, env, input, program }: ProgramOptions): Program {
  const child = spawn(program ?? process.execPath, program === undefined ? [MAIN, ...args] : args, {
    cwd,
    env: { PATH: `${dirname(process.execPath)}:${process.env["PATH"] ?? ""}`, HOME: cwd, ...env },
    stdio: [input === undefined ? "ignore" : "pipe", "pipe", "pipe"],
  });
  child.stdin?.end(input);
  let output = "";
  let askedMs = performance.now();
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding("utf8").on("data", (text: string) => (output += text));
  }
  const ended = new Promise<ProgramEnd>((done) => {
    child.once("close", (code, signal) => done({ code, signal, afterMs: performance.now() - askedMs }));
  });
  const signal = (name: NodeJS.Signals): Promise<ProgramEnd> => {
    askedMs = performance.now();
    child.kill(name);
    return ended;
  };
  return {
    pid: child.pid ?? 0,
    get output() {
      return output;
    },
    ended,
    says: async (text) => {
      try {
        return await until(
          `the output has ${JSON.stringify(text)}`,
          () => output.includes(text) && output,
          PATIENCE_MS,
        );
      } catch (error) {
        throw new Error(`${(error as Error).message}; it said\n${output}`, { cause: error });
      }
    },
    signal,
    async [Symbol.asyncDispose]() {
      await signal("SIGKILL");
    },
  };
}

/**
 * Waits for a program that comes up.
 * @throws Error with all it has said, when it ends before or what is waited for does not come about
 */
export async function whileRunning<T>(what: string, program: Program, waiting: Promise<T>): Promise<T> {
  const ended = program.ended.then(({ code }) => Promise.reject(new Error(`${what} ended with ${code}`)));
  ended.catch(() => undefined);
  try {
    return await Promise.race([waiting, ended]);
  } catch (error) {
    throw new Error(`${(error as Error).message}; it said\n${program.output}`, { cause: error });
  }
}

/** The value of a series in the metrics of a port, with its labels; undefined where there is none. */
export async function metricOf(port: number, series: string): Promise<number | undefined> {
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  const line = text.split("\n").find((one) => one.startsWith(`${series} `));
  return line === undefined ? undefined : Number(line.slice(series.length + 1));
}

/** Where a role of the control plane listens, on loopback. */
export function roleFlags(port: number, healthPort: number, metricsPort: number): readonly string[] {
  return [
    `--port=${port}`,
    "--listen-address=127.0.0.1",
    `--healthz-port=${healthPort}`,
    "--healthz-listen-address=127.0.0.1",
    `--metrics-port=${metricsPort}`,
    "--metrics-listen-address=127.0.0.1",
  ];
}

/** Whether there is a process of that id. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Answers with what it was asked, and subscribes to `topic`; `GET /received` gives the data of all events. */
export const TINY_APP = `
import { createServer } from "node:http";
const received = [];
createServer((request, response) => {
  let body = "";
  request.on("data", (part) => (body += part));
  request.on("end", () => {
    if (request.url === "/dapr/subscribe") {
      response.setHeader("content-type", "application/json");
      return response.end(JSON.stringify([{ pubsubname: "pubsub", topic: "topic", route: "/events" }]));
    }
    if (request.url === "/events") received.push(JSON.parse(body).data);
    if (request.url === "/received") return response.end(JSON.stringify(received));
    response.statusCode = request.url === "/dapr/config" ? 404 : 200;
    response.end(process.env.APP_ID + " answers " + request.url);
  });
}).listen(Number(process.env.APP_PORT), "127.0.0.1", () => console.log("listening"));
`;

/** One app of a run file; ports are free ones. */
export interface DevApp {
  readonly id: string;
  /** Its `app.mjs`; the tiny app by default. */
  readonly source?: string;
  /** Further lines of the run file, each with four spaces before it. */
  readonly lines?: string;
  readonly command?: readonly string[];
  /** False: it has no port. */
  readonly listens?: boolean;
}

/** A folder with a `dapr.yaml` and a folder for each app. */
export interface DevFolder extends Folder {
  readonly appPorts: ReadonlyMap<string, number>;
  /** Calls the HTTP API of an app's sidecar. */
  dapr(appId: string, path: string, init?: RequestInit): Promise<Response>;
  /** Who runs where, once every app and every sidecar does. */
  session(): Promise<SessionFile>;
}

export async function devFolder(apps: readonly DevApp[], common = ""): Promise<DevFolder> {
  const folder = await temporaryFolder();
  const appPorts = new Map<string, number>();
  const daprPorts = new Map<string, number>();
  const entries: string[] = [];
  for (const { id, source, lines = "", command = ["node", "app.mjs"], listens = true } of apps) {
    await mkdir(join(folder.path, id));
    await writeFile(join(folder.path, id, "app.mjs"), source ?? TINY_APP);
    appPorts.set(id, await freePort());
    daprPorts.set(id, await freePort());
    entries.push(`  - appID: ${id}
    appDirPath: ./${id}
    daprHTTPPort: ${daprPorts.get(id)}
${listens ? `    appPort: ${appPorts.get(id)}\n` : ""}${lines}    command: ${JSON.stringify(command)}
`);
  }
  await folder.write("dapr.yaml", `version: 1\n${common}apps:\n${entries.join("")}`);
  return {
    ...folder,
    appPorts,
    dapr: (appId, path, init) => fetch(`http://127.0.0.1:${daprPorts.get(appId)}${path}`, init),
    session: () =>
      until("session.json lists all", async () => {
        const session = JSON.parse(await readFile(join(folder.path, ".outrigger/session.json"), "utf8")) as SessionFile;
        return session.apps.every((app) => app.sidecarPid !== undefined && app.appPid !== undefined) && session;
      }),
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
}
