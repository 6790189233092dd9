import { mkdir, readFile } from "node:fs/promises";
import { type Program, roleFlags, startOutrigger, whileRunning } from "./outrigger-program.ts";
import { configuration, temporaryFolder } from "./resources.ts";
import { freePort } from "./test-app.ts";
import { until } from "./until.ts";

/** Programs of another implementation of Dapr's protocols, by role. */
const PEERS = {
  daprd: process.env["OUTRIGGER_PEER_DAPRD"],
  placement: process.env["OUTRIGGER_PEER_PLACEMENT"],
  scheduler: process.env["OUTRIGGER_PEER_SCHEDULER"],
} as const;

const SENTRY = process.env["OUTRIGGER_PEER_SENTRY"];

type Role = keyof typeof PEERS | "sentry";

/** Why there can be no mixed cluster; undefined: there can. */
export const peersMissing: string | undefined = Object.values(PEERS).includes(undefined)
  ? "OUTRIGGER_PEER_DAPRD, OUTRIGGER_PEER_PLACEMENT and OUTRIGGER_PEER_SCHEDULER name no programs"
  : undefined;

/** The same of a mixed cluster with mutual TLS. */
export const peersWithSentryMissing: string | undefined =
  peersMissing ?? (SENTRY === undefined ? "OUTRIGGER_PEER_SENTRY names no program" : undefined);

/** Whose program plays a role. */
export type Make = "ours" | "theirs";

const START_MS_MAX = 30_000;

/** Whose sentry a mixed cluster with mutual TLS has, and how long its certificates live: `5s`. */
export interface MixedSentry {
  readonly make: Make;
  readonly ttl: string;
}

/** One process of a mixed cluster; disposing of it kills what is left. */
export interface Member extends AsyncDisposable {
  /** Of its main port: HTTP for a sidecar, gRPC for the others. */
  readonly address: string;
  /** All it has written so far. */
  readonly output: string;
  fetch(path: string, init?: RequestInit): Promise<Response>;
  /** The Prometheus text of its metrics. */
  metrics(): Promise<string>;
  /** SIGTERM unless it says otherwise, and waits for its end. */
  stop(signal?: "SIGTERM" | "SIGKILL"): Promise<void>;
}

/** A placement service, a scheduler and sidecars, each ours or theirs, that share one folder of resources. */
export class MixedCluster implements AsyncDisposable {
  readonly #folder: Awaited<ReturnType<typeof temporaryFolder>>;
  readonly #members: Member[] = [];
  #config = "";
  #placement = "";
  #scheduler = "";
  #sentry = "";
  #trustAnchors = "";

  private constructor(folder: Awaited<ReturnType<typeof temporaryFolder>>) {
    this.#folder = folder;
  }

  /** @param resources YAML documents of all sidecars */
  static async start(placement: Make, scheduler: Make, resources: string, sentry?: MixedSentry): Promise<MixedCluster> {
    const folder = await temporaryFolder();
    const cluster = new MixedCluster(folder);
    try {
      await folder.write("resources.yaml", resources);
      // With Dapr's default of 5s a daprd that renews its entry a second late on a busy machine is not found.
      const names = JSON.stringify({ connectionString: `${folder.path}/names.db`, updateInterval: "30s" });
      cluster.#config = await folder.write(
        "configuration.txt",
        configuration(`  nameResolution:\n    component: sqlite\n    configuration: ${names}\n`),
      );
      if (sentry !== undefined) {
        await cluster.#startSentry(sentry);
      }
      cluster.#placement = (await cluster.#startPlacement(placement)).address;
      cluster.#scheduler = (await cluster.#startScheduler(scheduler)).address;
      return cluster;
    } catch (error) {
      await cluster[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Placement, scheduler and sidecars, in the order of their starts. */
  get members(): readonly Member[] {
    return this.#members;
  }

  async startSidecar(make: Make, appId: string, appPort: number): Promise<Member> {
    const [http, grpc, internal, metrics] = [await freePort(), await freePort(), await freePort(), await freePort()];
    return await this.#start(make, "daprd", { main: http, health: http, healthPath: "/v1.0/healthz", metrics }, [
      ...this.sidecarFlags(appId, appPort),
      `--dapr-http-port=${http}`,
      `--dapr-grpc-port=${grpc}`,
      `--dapr-internal-grpc-port=${internal}`,
      "--dapr-listen-addresses=127.0.0.1",
      `--metrics-port=${metrics}`,
      "--metrics-listen-address=127.0.0.1",
    ]);
  }

  /** What makes a sidecar one of this cluster, without its ports. */
  sidecarFlags(appId: string, appPort: number): readonly string[] {
    return [
      `--app-id=${appId}`,
      `--app-port=${appPort}`,
      `--resources-path=${this.#folder.path}`,
      `--config=${this.#config}`,
      `--placement-host-address=${this.#placement}`,
      `--scheduler-host-address=${this.#scheduler}`,
      ...(this.#sentry === "" ? [] : ["--enable-mtls", `--sentry-address=${this.#sentry}`]),
    ];
  }

  async #startSentry({ make, ttl }: MixedSentry): Promise<void> {
    const [main, health, metrics] = [await freePort(), await freePort(), await freePort()];
    const mtls = `mtls: { enabled: true, workloadCertTTL: ${ttl}, allowedClockSkew: 1s }`;
    const config = await this.#folder.write("sentry.txt", configuration(`  ${mtls}\n`));
    const credentials = `${this.#folder.path}/credentials`;
    await mkdir(credentials);
    const ports = { main, health, healthPath: "/healthz", metrics };
    const { address } = await this.#start(make, "sentry", ports, [
      ...roleFlags(main, health, metrics),
      "--trust-domain=localhost",
      `--issuer-credentials=${credentials}`,
      `--config=${config}`,
    ]);
    this.#trustAnchors = await readFile(`${credentials}/ca.crt`, "utf8");
    this.#sentry = address;
  }

  #roleTls(role: string): readonly string[] {
    if (this.#sentry === "") {
      return [];
    }
    return [
      "--tls-enabled",
      `--sentry-address=${this.#sentry}`,
      `--trust-anchors-file=${this.#folder.path}/credentials/ca.crt`,
      ...(role === "scheduler" ? [`--identity-directory-write=${this.#folder.path}/identity`] : []),
    ];
  }

  async #startPlacement(make: Make): Promise<Member> {
    const [main, health, metrics, votes] = [await freePort(), await freePort(), await freePort(), await freePort()];
    return await this.#start(make, "placement", { main, health, healthPath: "/healthz", metrics }, [
      ...roleFlags(main, health, metrics),
      `--initial-cluster=dapr-placement-0=127.0.0.1:${votes}`,
      ...this.#roleTls("placement"),
    ]);
  }

  async #startScheduler(make: Make): Promise<Member> {
    const [main, health, metrics] = [await freePort(), await freePort(), await freePort()];
    const [clients, peers] = [await freePort(), await freePort()];
    return await this.#start(make, "scheduler", { main, health, healthPath: "/healthz", metrics }, [
      ...roleFlags(main, health, metrics),
      "--id=dapr-scheduler-server-0",
      `--etcd-client-port=${clients}`,
      `--etcd-initial-cluster=dapr-scheduler-server-0=http://127.0.0.1:${peers}`,
      `--etcd-data-dir=${this.#folder.path}/scheduler`,
      `--override-broadcast-host-port=127.0.0.1:${main}`,
      ...this.#roleTls("scheduler"),
    ]);
  }

  async #start(
    make: Make,
    role: Role,
    ports: { readonly main: number; readonly health: number; readonly healthPath: string; readonly metrics: number },
    flags: readonly string[],
  ): Promise<Member> {
    const peers: Readonly<Record<Role, string | undefined>> = { ...PEERS, sentry: SENTRY };
    const program = make === "theirs" ? peers[role] : undefined;
    if (make === "theirs" && program === undefined) {
      throw new Error(peersWithSentryMissing);
    }
    const args = [...(make === "ours" ? [role === "daprd" ? "sidecar" : role] : []), ...flags, "--log-level=info"];
    const process = startOutrigger(args, {
      cwd: this.#folder.path,
      env: { DAPR_HOST_IP: "127.0.0.1", ...(role === "daprd" ? { DAPR_TRUST_ANCHORS: this.#trustAnchors } : {}) },
      ...(program === undefined ? {} : { program }),
    });
    const member = memberOf(process, ports);
    this.#members.push(member);
    const healthy = until(
      `the ${role} (${make}) is healthy`,
      async () => (await fetch(`http://127.0.0.1:${ports.health}${ports.healthPath}`)).ok,
      START_MS_MAX,
    );
    await whileRunning(`the ${role} (${make})`, process, healthy);
    return member;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#members.map((member) => member[Symbol.asyncDispose]()));
    await this.#folder[Symbol.asyncDispose]();
  }
}

function memberOf(process: Program, { main, metrics }: { readonly main: number; readonly metrics: number }): Member {
  return {
    address: `127.0.0.1:${main}`,
    get output() {
      return process.output;
    },
    fetch: (path, init) => fetch(`http://127.0.0.1:${main}${path}`, init),
    metrics: async () => await (await fetch(`http://127.0.0.1:${metrics}/`)).text(),
    async stop(signal = "SIGTERM") {
      await process.signal(signal);
    },
    [Symbol.asyncDispose]: () => process[Symbol.asyncDispose](),
  };
}
