import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { temporaryFolder } from "./resources.ts";
import { freePort } from "./test-app.ts";
import { until } from "./until.ts";

const PROGRAM = "etcd";

/** A new cluster of one elects itself first. */
const PATIENCE_MS = 30_000;

/** Why tests that need a real etcd cannot run here; undefined: they can. */
export const etcdMissing: string | undefined =
  spawnSync(PROGRAM, ["--version"]).status === 0
    ? undefined
    : `${PROGRAM} is not in PATH (Debian: apt-get install etcd-server)`;

/** For the names of tests that are skipped then, so that they say why. */
export const etcdNote: string = etcdMissing === undefined ? "" : ` (${etcdMissing})`;

/** A real etcd of one member on free loopback ports with a folder of its own; disposing of it ends it. */
export interface EtcdServer extends AsyncDisposable {
  /** `127.0.0.1:<port>` */
  readonly address: string;
  /** Starts it again on the same port and folder. */
  start(): Promise<void>;
  /** SIGKILL. */
  kill(): Promise<void>;
}

export async function startEtcdServer(): Promise<EtcdServer> {
  const folder = await temporaryFolder();
  const [port, peerPort] = [await freePort(), await freePort()];
  const [clients, peers] = [`http://127.0.0.1:${port}`, `http://127.0.0.1:${peerPort}`];
  let child: ChildProcess | undefined;
  const start = async (): Promise<void> => {
    const options = [
      ["--name", "only"],
      ["--data-dir", folder.path],
      ["--listen-client-urls", clients],
      ["--advertise-client-urls", clients],
      ["--listen-peer-urls", peers],
      ["--initial-advertise-peer-urls", peers],
      ["--initial-cluster", `only=${peers}`],
      ["--log-level", "error"],
    ];
    child = spawn(PROGRAM, options.flat(), { stdio: "ignore" });
    const health = async (): Promise<boolean> => {
      const answer = await fetch(`${clients}/health`).catch(() => undefined);
      return answer?.ok === true;
    };
    await until("etcd is healthy", health, PATIENCE_MS);
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
  return { address: `127.0.0.1:${port}`, start, kill, [Symbol.asyncDispose]: stop };
}
