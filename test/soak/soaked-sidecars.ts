import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { freePort } from "../harness/test-app.ts";
import { component } from "../harness/resources.ts";
import { residentMb } from "../harness/resident-memory.ts";
import { until } from "../harness/until.ts";

const ROOT = resolve(import.meta.dirname, "../..");

/** A collection has been asked for and is over after this long, in milliseconds. */
const COLLECTION_MS = 3_000;

/** Two sidecars on the embedded back ends, each with an app of the soak behind it. */
export interface SoakedSidecars extends AsyncDisposable {
  /** Base URL of the HTTP API of the sidecar that is loaded; the other one is invoked and delivers. */
  readonly url: string;
  /** Resident megabytes of each after a forced collection. */
  collectedMb(): Promise<readonly number[]>;
  /** Rejects when one of them ends before it was asked to. */
  readonly failed: Promise<never>;
}

/** Starts both and waits until they are ready. `appPort` serves the app of the second one, id `warehouse`. */
export async function startSoaked(appPort: number): Promise<SoakedSidecars> {
  const folder = await mkdtemp(join(tmpdir(), "outrigger-soak-"));
  await writeFile(join(folder, "config.yaml"), configuration(folder));
  const resources = join(folder, "resources");
  await writeFile(join(folder, "secrets.json"), JSON.stringify({ password: "secret" }));
  await mkdir(resources);
  await writeFile(join(resources, "components.yaml"), components(folder));
  const loaded = await startOne("orders", folder, resources, undefined);
  const other = await startOne("warehouse", folder, resources, appPort);
  const both = [loaded, other];
  const failed = Promise.race(both.map(({ ended }) => ended));
  failed.catch(() => undefined);
  await Promise.all(
    both.map(({ url }) =>
      until(
        "the sidecar is ready",
        async () => (await fetch(`${url}/v1.0/healthz`).catch(() => undefined))?.ok === true,
        30_000,
      ),
    ),
  );
  return {
    url: loaded.url,
    failed,
    async collectedMb() {
      for (const { pid } of both) process.kill(pid, "SIGUSR2");
      await new Promise((done) => setTimeout(done, COLLECTION_MS));
      return both.map(({ pid }) => residentMb(pid));
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(both.map((one) => one.stop()));
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function startOne(appId: string, folder: string, resources: string, appPort: number | undefined) {
  const [http, grpc, internal, metrics] = [await freePort(), await freePort(), await freePort(), await freePort()];
  const child = spawn(
    process.execPath,
    [
      "--expose-gc",
      "--disable-warning=ExperimentalWarning",
      `--import=${join(ROOT, "test/soak/collect-on-signal.mjs")}`,
      join(ROOT, "src/main.ts"),
      "sidecar",
      `--app-id=${appId}`,
      `--dapr-http-port=${http}`,
      `--dapr-grpc-port=${grpc}`,
      `--dapr-internal-grpc-port=${internal}`,
      "--dapr-internal-grpc-listen-address=127.0.0.1",
      "--dapr-listen-addresses=127.0.0.1",
      `--metrics-port=${metrics}`,
      `--resources-path=${resources}`,
      `--config=${join(folder, "config.yaml")}`,
      "--log-level=warn",
      ...(appPort === undefined ? [] : [`--app-port=${appPort}`]),
    ],
    { stdio: ["ignore", "inherit", "inherit"], env: { ...process.env, NAMESPACE: "" } },
  );
  const exited = once(child, "exit");
  let stopping = false;
  return {
    url: `http://127.0.0.1:${http}`,
    pid: child.pid ?? 0,
    ended: exited.then(([code, signal]): never => {
      if (stopping) return undefined as never;
      throw new Error(`the sidecar ${appId} ended with ${String(code ?? signal)}`);
    }),
    async stop() {
      stopping = true;
      child.kill("SIGINT");
      await exited;
    },
  };
}

function components(folder: string): string {
  return [
    component("store", "state.sqlite", { connectionString: join(folder, "state.db") }),
    component("memory", "state.in-memory"),
    component("broker", "pubsub.sqlite", { connectionString: join(folder, "broker.db") }),
    component("locks", "lock.sqlite", { connectionString: join(folder, "locks.db") }),
    component("secrets", "secretstores.local.file", { secretsFile: join(folder, "secrets.json") }),
  ].join("---\n");
}

/** Names are resolved through a file, so that nothing of the network is asked. */
function configuration(folder: string): string {
  return `apiVersion: dapr.io/v1alpha1
kind: Configuration
metadata:
  name: soak
spec:
  nameResolution:
    component: sqlite
    configuration:
      connectionString: ${join(folder, "names.db")}
`;
}
