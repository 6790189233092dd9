import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { schedulerPorts, SchedulerProgram, type SchedulerPorts } from "./scheduler-program.ts";
import { freePort } from "./test-app.ts";
import { until } from "./until.ts";

/** A quorum's start, and what a killed member's lease takes, on a busy machine. */
const PATIENCE_MS = 45_000;

/** Schedulers that share their jobs, each with an etcd of its own; disposing of it kills them. */
export class SchedulerCluster implements AsyncDisposable {
  readonly members: SchedulerProgram[];
  readonly #folder: string;
  readonly #ports: readonly SchedulerPorts[];
  readonly #flags: readonly string[];

  private constructor(folder: string, ports: readonly SchedulerPorts[], flags: readonly string[]) {
    this.#folder = folder;
    this.#ports = ports;
    this.#flags = flags;
    this.members = ports.map((_, index) => this.#program(index));
  }

  /** Of `count` members, each with an etcd. */
  static async start(folder: string, count: number): Promise<SchedulerCluster> {
    const peers: string[] = [];
    for (let index = 0; index < count; index += 1) {
      peers.push(`s${index}=http://127.0.0.1:${await freePort()}`);
    }
    return await this.#start(folder, count, [`--etcd-initial-cluster=${peers.join(",")}`]);
  }

  /** On an etcd elsewhere. */
  static async startOn(endpoint: string, folder: string, count: number): Promise<SchedulerCluster> {
    return await this.#start(folder, count, ["--etcd-embed=false", `--etcd-client-endpoints=${endpoint}`]);
  }

  static async #start(folder: string, count: number, flags: readonly string[]): Promise<SchedulerCluster> {
    const ports: SchedulerPorts[] = [];
    for (let index = 0; index < count; index += 1) {
      ports.push(await schedulerPorts());
      mkdirSync(join(folder, `s${index}`));
    }
    const cluster = new SchedulerCluster(folder, ports, flags);
    await Promise.all(cluster.members.map((member) => member.ready()));
    await cluster.agreed();
    return cluster;
  }

  member(index: number): SchedulerProgram {
    return this.members[index] as SchedulerProgram;
  }

  address(index: number): string {
    return `127.0.0.1:${this.#ports[index]?.api}`;
  }

  dataDir(index: number): string {
    return join(this.#folder, `s${index}`, "data");
  }

  /** Resolves when these members, all without an argument, know each other and no one else. */
  async agreed(indexes: readonly number[] = this.members.map((_, index) => index)): Promise<void> {
    const expected = indexes.map((index) => this.address(index)).toSorted();
    for (const index of indexes) {
      await until(
        `${index} knows the members ${indexes.join(", ")}`,
        async () => (await this.member(index).hosts()).toSorted().join() === expected.join(),
        PATIENCE_MS,
      );
    }
  }

  /** Starts a member again, on its ports and folder. */
  restart(index: number): SchedulerProgram {
    const program = this.#program(index);
    this.members[index] = program;
    return program;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.members.map((member) => member[Symbol.asyncDispose]()));
  }

  #program(index: number): SchedulerProgram {
    const ports = this.#ports[index] as SchedulerPorts;
    return new SchedulerProgram(join(this.#folder, `s${index}`), ports, [`--id=s${index}`, ...this.#flags]);
  }
}

/** The etcd that a member runs. */
export function etcdPid(dataDir: string): number {
  return (JSON.parse(readFileSync(join(dataDir, "etcd.pid"), "utf8")) as { pid: number }).pid;
}

/** The shell that ends a member's etcd together with the scheduler; only where the system has /proc. */
export function guardPid(etcd: number): number | undefined {
  for (const name of readdirSync("/proc").filter((entry) => /^[0-9]+$/.test(entry))) {
    try {
      const words = readFileSync(`/proc/${name}/cmdline`, "utf8").split("\0");
      if (words.includes("outrigger-etcd-guard") && words.includes(String(etcd))) {
        return Number(name);
      }
    } catch {
      // It has gone.
    }
  }
  return undefined;
}
