import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import { freePort } from "./test-app.ts";
import { temporaryFolder } from "./resources.ts";
import { until } from "./until.ts";

const PROGRAM = "redis-server";

/** Why tests that need a real Redis cannot run here; undefined: they can. */
export const redisMissing: string | undefined =
  spawnSync(PROGRAM, ["--version"]).status === 0
    ? undefined
    : `${PROGRAM} is not in PATH (Debian: apt-get install redis-server)`;

/** For the names of tests that are skipped then, so that they say why. */
export const redisNote: string = redisMissing === undefined ? "" : ` (${redisMissing})`;

/** A real redis-server on a free loopback port with a folder of its own; disposing of it ends it. */
export interface RedisServer extends AsyncDisposable {
  readonly port: number;
  /** `127.0.0.1:<port>` */
  readonly address: string;
  /** One command over a connection of its own. @returns the reply's bytes as text, in the protocol's form */
  command(...args: readonly string[]): Promise<string>;
  /** Starts it again on the same port and folder. */
  start(): Promise<void>;
  /** SIGKILL. */
  kill(): Promise<void>;
  /** SIGSTOP: it keeps its connections and answers nothing. */
  pause(): void;
  resume(): void;
}

/**
 * `durable` servers write each command to disk before they answer, so that nothing is lost when they are killed; `address`
 * is one beside loopback at which anybody may call.
 */
export async function startRedisServer({ durable = false, address = "" } = {}): Promise<RedisServer> {
  const folder = await temporaryFolder();
  const port = await freePort();
  const persistence = durable ? ["--appendonly", "yes", "--appendfsync", "always"] : ["--appendonly", "no"];
  let child: ChildProcess | undefined;
  const command = (...args: readonly string[]): Promise<string> => ask(port, args);
  const start = async (): Promise<void> => {
    const options = [
      "--port",
      String(port),
      "--bind",
      "127.0.0.1",
      ...(address === "" ? [] : [address, "--protected-mode", "no"]),
      "--dir",
      folder.path,
      "--save",
      "",
      ...persistence,
    ];
    child = spawn(PROGRAM, options, { stdio: "ignore" });
    await until("redis-server answers", async () => (await command("PING")).startsWith("+PONG"));
  };
  const kill = async (): Promise<void> => {
    if (child !== undefined && child.exitCode === null && child.signalCode === null) {
      const ended = once(child, "exit");
      child.kill("SIGKILL");
      await ended;
    }
  };
  const stop = async (): Promise<void> => {
    await kill();
    await folder[Symbol.asyncDispose]();
  };
  try {
    await start();
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    port,
    address: `127.0.0.1:${port}`,
    command,
    start,
    kill,
    pause: () => void child?.kill("SIGSTOP"),
    resume: () => void child?.kill("SIGCONT"),
    [Symbol.asyncDispose]: stop,
  };
}

/** Sends one command and then QUIT, and takes all that comes back but QUIT's `+OK`. */
function ask(port: number, args: readonly string[]): Promise<string> {
  const encode = (words: readonly string[]): string =>
    `*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join("")}`;
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const socket = connect(port, "127.0.0.1", () => socket.write(encode(args) + encode(["QUIT"])));
    socket.on("data", (chunk: Buffer) => void chunks.push(chunk));
    socket.on("error", reject);
    socket.on("close", () =>
      resolve(
        Buffer.concat(chunks)
          .toString()
          .replace(/\+OK\r\n$/, ""),
      ),
    );
  });
}
