import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { type Program, startOutrigger } from "../harness/outrigger-program.ts";
import type { Folder } from "../harness/resources.ts";
import { freePort } from "../harness/test-app.ts";
import { until } from "../harness/until.ts";

/** What programs the cluster is made of. */
export interface ReminderClusterOptions {
  /** For the resources and the scheduler's data. */
  readonly folder: Folder;
  /** The executable; this repository's sources without it. */
  readonly program?: string | undefined;
  /** A reminder has come to its actor. */
  readonly onReminder: (actorId: string, name: string) => void;
}

const READY_MS_MAX = 30_000;
const RESOURCES = `apiVersion: dapr.io/v1alpha1
kind: Component
metadata:
  name: store
spec:
  type: state.in-memory
  version: v1
  metadata:
    - name: actorStateStore
      value: "true"
`;

/** Placement, a scheduler that can be killed and started again on its data, a sidecar, and its app within this process. */
export class ReminderCluster implements AsyncDisposable {
  readonly #options: ReminderClusterOptions;
  readonly #programs: Program[] = [];
  readonly #app: Server;
  readonly #ports: Record<"placement" | "scheduler" | "health" | "http", number>;
  #scheduler: Program | undefined;

  private constructor(options: ReminderClusterOptions, app: Server, ports: ReminderCluster["ports"]) {
    this.#options = options;
    this.#app = app;
    this.#ports = ports;
  }

  static async start(options: ReminderClusterOptions): Promise<ReminderCluster> {
    const app = reminderApp(options.onReminder);
    app.listen(0, "127.0.0.1");
    await once(app, "listening");
    const ports = {
      placement: await freePort(),
      scheduler: await freePort(),
      health: await freePort(),
      http: await freePort(),
    };
    const cluster = new ReminderCluster(options, app, ports);
    try {
      await options.folder.write("resources.yaml", RESOURCES);
      await cluster.#start();
    } catch (error) {
      await cluster[Symbol.asyncDispose]();
      throw error;
    }
    return cluster;
  }

  get ports(): Readonly<Record<"placement" | "scheduler" | "health" | "http", number>> {
    return this.#ports;
  }

  /** What the programs have complained of so far. */
  get complaints(): string {
    return [...this.#programs, this.#scheduler].map((program) => program?.output ?? "").join("");
  }

  /** Kills the scheduler and starts it again. @returns milliseconds until it was healthy */
  async killScheduler(): Promise<number> {
    const startMs = performance.now();
    await this.#scheduler?.signal("SIGKILL");
    await this.#startScheduler();
    return performance.now() - startMs;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const programs = [...this.#programs, ...(this.#scheduler === undefined ? [] : [this.#scheduler])];
    await Promise.all(programs.map((program) => program.signal("SIGKILL")));
    this.#app.closeAllConnections();
    this.#app.close();
  }

  async #start(): Promise<void> {
    const { placement, scheduler, http } = this.#ports;
    const member = await freePort();
    this.#programs.push(
      await this.#run([
        "placement",
        `--port=${placement}`,
        `--initial-cluster=dapr-placement-0=127.0.0.1:${member}`,
        `--healthz-port=${await freePort()}`,
        `--metrics-port=${await freePort()}`,
        "--listen-address=127.0.0.1",
      ]),
    );
    await this.#startScheduler();
    this.#programs.push(
      await this.#run([
        "sidecar",
        "--app-id=reminders",
        `--app-port=${(this.#app.address() as AddressInfo).port}`,
        `--dapr-http-port=${http}`,
        `--dapr-grpc-port=${await freePort()}`,
        `--dapr-internal-grpc-port=${await freePort()}`,
        `--metrics-port=${await freePort()}`,
        "--dapr-listen-addresses=127.0.0.1",
        `--resources-path=${this.#options.folder.path}`,
        `--placement-host-address=127.0.0.1:${placement}`,
        `--scheduler-host-address=127.0.0.1:${scheduler}`,
      ]),
    );
    await healthy("the sidecar", http, "/v1.0/healthz");
  }

  async #startScheduler(): Promise<void> {
    const { scheduler, health } = this.#ports;
    this.#scheduler = await this.#run([
      "scheduler",
      `--port=${scheduler}`,
      `--healthz-port=${health}`,
      `--metrics-port=${await freePort()}`,
      `--etcd-client-port=${await freePort()}`,
      `--etcd-data-dir=${this.#options.folder.path}/scheduler`,
      "--listen-address=127.0.0.1",
    ]);
    await healthy("the scheduler", health, "/healthz");
  }

  async #run(args: readonly string[]): Promise<Program> {
    const { folder, program } = this.#options;
    const flags = [...args, "--metrics-listen-address=127.0.0.1", "--log-level=error"];
    return startOutrigger(flags, { cwd: folder.path, ...(program === undefined ? {} : { program }) });
  }
}

function reminderApp(onReminder: ReminderClusterOptions["onReminder"]): Server {
  return createServer((request, response) => {
    request.resume();
    const [, first, , id = "", kind, method, name = ""] = (request.url ?? "").split("/");
    if (first === "actors" && kind === "method" && method === "remind") {
      onReminder(id, name);
    }
    const body = request.url === "/dapr/config" ? '{"entities":["load"]}' : "";
    response.writeHead(200, { "content-type": "application/json", "content-length": String(body.length) }).end(body);
  });
}

async function healthy(what: string, port: number, path: string): Promise<void> {
  const isHealthy = (): Promise<boolean> =>
    fetch(`http://127.0.0.1:${port}${path}`).then(
      ({ ok }) => ok,
      () => false,
    );
  await until(`${what} is healthy`, isHealthy, READY_MS_MAX);
}
