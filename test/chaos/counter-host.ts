import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { appendFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { freePort } from "../harness/test-app.ts";
import { until } from "../harness/until.ts";

const COUNTER_APP = join(import.meta.dirname, "counter-app.mjs");
const MAIN = resolve(import.meta.dirname, "../../src/main.ts");
const READY_PATIENCE_MS = 60_000;
/** Sidecars are given this long to stop; they say themselves what took longer. */
const STOP_PATIENCE_MS = 20_000;

export interface HostPlan {
  readonly name: string;
  /** False: a sidecar without an app, through which clients call. */
  readonly hasApp: boolean;
  readonly folder: string;
  readonly placementAddress: string;
  /** The single executable; undefined: this repository's sources. */
  readonly program: string | undefined;
}

/** A sidecar and its app, each a process of its own, on ports that stay the same through restarts. */
export class CounterHost {
  readonly name: string;
  readonly httpPort: number;
  readonly metricsPort: number;
  readonly peerPort: number;
  readonly #plan: HostPlan;
  readonly #appPort: number;
  readonly #grpcPort: number;
  #app: ChildProcess | undefined;
  #sidecar: ChildProcess | undefined;

  private constructor(plan: HostPlan, ports: readonly number[]) {
    this.name = plan.name;
    this.#plan = plan;
    const [httpPort = 0, metricsPort = 0, appPort = 0, grpcPort = 0, peerPort = 0] = ports;
    this.httpPort = httpPort;
    this.metricsPort = metricsPort;
    this.#appPort = appPort;
    this.#grpcPort = grpcPort;
    this.peerPort = peerPort;
  }

  static async start(plan: HostPlan): Promise<CounterHost> {
    const ports: number[] = [];
    for (let port = 0; port < 5; port += 1) {
      ports.push(await freePort());
    }
    const host = new CounterHost(plan, ports);
    await host.start();
    return host;
  }

  /** Resolves when the sidecar is ready, which includes the tables of the placement service. */
  async start(): Promise<void> {
    const { hasApp, name } = this.#plan;
    if (hasApp) {
      this.#app = this.#spawn(process.execPath, [COUNTER_APP, String(this.#appPort), String(this.httpPort), name]);
    }
    await this.startSidecar();
  }

  /** As `start`, beside the app that there is. */
  async startSidecar(): Promise<void> {
    const { hasApp, folder, placementAddress, program, name } = this.#plan;
    const flags = [
      "sidecar",
      "--app-id=counter",
      ...(hasApp ? [`--app-port=${this.#appPort}`] : []),
      `--dapr-http-port=${this.httpPort}`,
      `--dapr-grpc-port=${this.#grpcPort}`,
      `--dapr-internal-grpc-port=${this.peerPort}`,
      `--metrics-port=${this.metricsPort}`,
      "--dapr-listen-addresses=127.0.0.1",
      `--placement-host-address=${placementAddress}`,
      `--resources-path=${folder}`,
      "--log-level=warn",
    ];
    this.#sidecar =
      program === undefined ? this.#spawn(process.execPath, [MAIN, ...flags]) : this.#spawn(program, flags);
    const url = `http://127.0.0.1:${this.httpPort}/v1.0/healthz`;
    await until(`${name} is ready`, async () => (await fetch(url)).ok, READY_PATIENCE_MS);
  }

  async kill(): Promise<void> {
    await Promise.all(this.#processes.map(killed));
  }

  /** The app stays, with all that it has in memory. */
  async killSidecar(): Promise<void> {
    if (this.#sidecar !== undefined) {
      await killed(this.#sidecar);
    }
  }

  /** SIGTERM for the sidecar first, as a pod's containers would be stopped; the app goes when the sidecar has. */
  async stop(): Promise<void> {
    if (this.#sidecar !== undefined) {
      const ended = exited(this.#sidecar);
      this.#sidecar.kill("SIGTERM");
      await Promise.race([ended, pause(STOP_PATIENCE_MS, undefined, { ref: false })]);
    }
    await this.kill();
  }

  /** SIGSTOP: whoever is connected notices nothing. */
  freeze(whom: "both" | "sidecar"): void {
    if (whom === "both") {
      this.#app?.kill("SIGSTOP");
    }
    this.#sidecar?.kill("SIGSTOP");
  }

  thaw(): void {
    for (const child of this.#processes) {
      child.kill("SIGCONT");
    }
  }

  /** The sum over all series of a metric that have the label; 0 while there is nobody to ask. */
  async metric(name: string, label: string): Promise<number> {
    try {
      const response = await fetch(`http://127.0.0.1:${this.metricsPort}/`, { signal: AbortSignal.timeout(2_000) });
      const lines = (await response.text()).split("\n");
      return lines
        .filter((line) => line.startsWith(`${name}{`) && line.includes(label))
        .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" ") + 1)), 0);
    } catch {
      return 0;
    }
  }

  get #processes(): readonly ChildProcess[] {
    return [this.#app, this.#sidecar].filter((child) => child !== undefined);
  }

  #spawn(command: string, args: readonly string[]): ChildProcess {
    const { folder, name } = this.#plan;
    const child = spawn(command, args, {
      env: { PATH: `${dirname(process.execPath)}:${process.env["PATH"] ?? ""}` },
      stdio: ["ignore", "pipe", "pipe"],
    });
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (text: Buffer) => appendFileSync(join(folder, `${name}.log`), text));
    }
    return child;
  }
}

async function killed(child: ChildProcess): Promise<void> {
  const ended = exited(child);
  child.kill("SIGKILL");
  await ended;
}

async function exited(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) {
    await once(child, "exit");
  }
}
