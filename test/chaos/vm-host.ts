import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { appendFileSync } from "node:fs";
import { copyFile, mkdir, readFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { readEnvironmentFile, SystemdUnit } from "../harness/systemd-unit.ts";
import type { HostNetwork } from "./host-network.ts";

const MAIN = resolve(import.meta.dirname, "../../src/main.ts");
const APP = join(import.meta.dirname, "vm-app.mjs");

export interface VmHostPlan {
  readonly network: HostNetwork;
  /** From 1 to `hosts`. */
  readonly number: number;
  readonly hosts: number;
  readonly appId: string;
  readonly hostsActors: boolean;
  /** Has a folder for each host, the shared `credentials`, `resources`, `sentry.yaml` and `sidecar.yaml`. */
  readonly folder: string;
}

/** A host in a network namespace that runs the project's systemd units: the same commands, files and variables. */
export class VmHost {
  readonly address: string;
  readonly #plan: VmHostPlan;
  readonly #environment: Readonly<Record<string, string>>;
  #processes: ChildProcess[] = [];

  constructor(plan: VmHostPlan) {
    const { network, number } = plan;
    this.#plan = plan;
    this.address = network.address(number);
    const listed = (port: (host: number) => string): string =>
      Array.from({ length: plan.hosts }, (_, index) => port(index + 1)).join(",");
    this.#environment = {
      ...readEnvironmentFile("host.env"),
      ...readEnvironmentFile("apps/orders.env"),
      HOST_ADDRESS: this.address,
      DAPR_HOST_IP: this.address,
      METRICS_ADDRESS: this.address,
      PLACEMENT_ID: `p${number}`,
      SCHEDULER_ID: `s${number}`,
      PLACEMENT_MEMBERS: listed((host) => `p${host}=${network.address(host)}:8201`),
      PLACEMENT_ADDRESSES: listed((host) => `${network.address(host)}:50005`),
      SCHEDULER_MEMBERS: listed((host) => `s${host}=http://${network.address(host)}:2380`),
      SCHEDULER_ADDRESSES: listed((host) => `${network.address(host)}:50006`),
      // The test calls the API from outside.
      API_ADDRESSES: `127.0.0.1,${this.address}`,
      PATH: `${dirname(process.execPath)}:${process.env["PATH"] ?? ""}`,
    };
  }

  get name(): string {
    return `h${this.#plan.number}`;
  }

  get apiUrl(): string {
    return `http://${this.address}:${this.#environment["SIDECAR_HTTP_PORT"]}`;
  }

  async start(): Promise<void> {
    const { appId, hostsActors, folder } = this.#plan;
    await mkdir(join(folder, this.name, "state"), { recursive: true });
    const { APP_PORT = "", SIDECAR_HTTP_PORT = "" } = this.#environment;
    const events = join(folder, "events");
    const app = [
      process.execPath,
      APP,
      APP_PORT,
      SIDECAR_HTTP_PORT,
      this.name,
      events,
      hostsActors ? "actors" : "none",
    ];
    this.#processes = [
      this.#spawn("app", app),
      ...["sentry", "placement", "scheduler"].map((role) => this.#unit(role, `outrigger-${role}.service`)),
      this.#unit("sidecar", "outrigger-sidecar@.service", appId),
    ];
  }

  /** All processes at once, as when the power goes. */
  async kill(): Promise<void> {
    const ends = this.#processes.map(async (child) => {
      if (child.exitCode === null && child.signalCode === null) {
        const ended = once(child, "exit");
        child.kill("SIGKILL");
        await ended;
      }
    });
    await Promise.all(ends);
    // What they have started themselves: the scheduler's etcd, and its guard.
    await this.#plan.network.killAll(this.#plan.number);
  }

  /** What a process of it has said. */
  async said(role: string): Promise<string> {
    return await readFile(this.#logOf(role), "utf8").catch(() => "");
  }

  #unit(role: string, file: string, instance = ""): ChildProcess {
    const { folder } = this.#plan;
    const command = new SystemdUnit(file)
      .command(instance)
      .replaceAll("/usr/bin/outrigger", `${process.execPath} ${MAIN}`)
      .replaceAll("/var/lib/outrigger/scheduler", join(folder, this.name, "state"))
      .replaceAll("/etc/outrigger", folder);
    return this.#spawn(role, ["/bin/sh", "-c", `exec ${command}`]);
  }

  #spawn(role: string, command: readonly string[]): ChildProcess {
    const [program = "", ...args] = [...this.#plan.network.prefix(this.#plan.number), ...command];
    const child = spawn(program, args, { env: this.#environment, stdio: ["ignore", "pipe", "pipe"] });
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (text: Buffer) => appendFileSync(this.#logOf(role), text));
    }
    return child;
  }

  #logOf(role: string): string {
    return join(this.#plan.folder, this.name, `${role}.log`);
  }
}

/** What every host has: the folder of resources, and the credentials of one sentry. */
export async function shareFiles(folder: string, credentials: string): Promise<void> {
  await mkdir(join(folder, "resources"), { recursive: true });
  await mkdir(join(folder, "credentials"));
  for (const file of ["ca.crt", "issuer.crt", "issuer.key"]) {
    await copyFile(join(credentials, file), join(folder, "credentials", file));
  }
}
