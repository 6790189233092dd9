import { join, resolve } from "node:path";
import { type Program, startOutrigger } from "../harness/outrigger-program.ts";
import { type PlacementProgram, startPlacementProgram } from "../harness/placement-program.ts";
import { component, type Folder, temporaryFolder } from "../harness/resources.ts";
import { freePort } from "../harness/test-app.ts";
import { residentMb } from "../harness/resident-memory.ts";
import { until } from "../harness/until.ts";

const ROOT = resolve(import.meta.dirname, "../..");

const READY_MS = 30_000;
/** A collection has been asked for, is over and its pages are given back after this long, in milliseconds. */
const COLLECTION_MS = 3_000;
/** On a busy machine it takes several: memory is what is left when another one gives less than this back. */
const COLLECTIONS_MAX = 8;
const SETTLED_MB = 1;
/** Actors that nobody calls leave after a second, and are looked for now and then. */
const ACTORS_LEAVE_MS = 300_000;

/** Answers everything with 200, and hosts actors that leave after a second. */
const APP = `
import { createServer } from "node:http";
const config = JSON.stringify({ entities: ["named"], actorIdleTimeout: "1s", drainOngoingCallTimeout: "1s" });
createServer((request, response) => {
  request.resume();
  response.end(request.url === "/dapr/config" ? config : "");
}).listen(Number(process.argv[2]), "127.0.0.1");
`;

/** A sidecar in a process of its own whose memory can be looked at, with an app and a placement service. */
export interface NamedSidecar extends AsyncDisposable {
  readonly port: number;
  /** Resident megabytes after a forced collection, when all actors have left. */
  collectedMb(): Promise<number>;
  /** Megabytes and milliseconds of one scrape of the metrics, with the number of series. */
  scrape(): Promise<{ readonly bytes: number; readonly ms: number; readonly series: number; readonly text: string }>;
}

export async function startNamedSidecar(): Promise<NamedSidecar> {
  const folder = await temporaryFolder();
  await folder.write("app.mjs", APP);
  await folder.write("resources.yaml", resources(folder));
  await folder.write("config.txt", configuration(folder));
  const [appPort, port, grpc, metrics] = [await freePort(), await freePort(), await freePort(), await freePort()];
  const app = startOutrigger([join(folder.path, "app.mjs"), String(appPort)], {
    cwd: folder.path,
    program: process.execPath,
  });
  const placement = await startPlacementProgram();
  const program = startOutrigger(
    [
      "--expose-gc",
      "--disable-warning=ExperimentalWarning",
      `--import=${join(ROOT, "test/soak/collect-on-signal.mjs")}`,
      join(ROOT, "src/main.ts"),
      "sidecar",
      "--app-id=named",
      `--app-port=${appPort}`,
      `--dapr-http-port=${port}`,
      `--dapr-grpc-port=${grpc}`,
      "--dapr-listen-addresses=127.0.0.1",
      "--dapr-internal-grpc-listen-address=127.0.0.1",
      `--metrics-port=${metrics}`,
      `--placement-host-address=${placement.address}`,
      `--resources-path=${folder.path}`,
      `--config=${folder.path}/config.txt`,
      "--log-level=warn",
    ],
    { cwd: folder.path, program: process.execPath },
  );
  const get = (path: string): Promise<Response> => fetch(`http://127.0.0.1:${port}${path}`);
  try {
    await until(
      "the sidecar is ready",
      async () => (await get("/v1.0/healthz").catch(() => undefined))?.ok === true,
      READY_MS,
    );
  } catch (cause) {
    const output = program.output;
    await stop([program, app], placement, folder);
    throw new Error(`the sidecar did not come up:\n${output}`, { cause });
  }
  const activeActors = async (): Promise<number> => {
    const { actorRuntime } = (await (await get("/v1.0/metadata")).json()) as {
      actorRuntime?: { activeActors?: readonly { count?: number }[] };
    };
    return actorRuntime?.activeActors?.reduce((sum, { count = 0 }) => sum + count, 0) ?? 0;
  };
  return {
    port,
    async collectedMb() {
      await until("all actors have left", async () => (await activeActors()) === 0, ACTORS_LEAVE_MS);
      let before = Number.POSITIVE_INFINITY;
      let left = residentMb(program.pid);
      for (let round = 0; round < COLLECTIONS_MAX && before - left > SETTLED_MB; round++) {
        before = left;
        process.kill(program.pid, "SIGUSR2");
        await new Promise((done) => setTimeout(done, COLLECTION_MS));
        left = Math.min(left, residentMb(program.pid));
      }
      return left;
    },
    async scrape() {
      const startMs = performance.now();
      const text = await (await fetch(`http://127.0.0.1:${metrics}/metrics`)).text();
      const ms = performance.now() - startMs;
      return { bytes: text.length, ms, series: text.split("\n").filter((line) => /^[a-z]/.test(line)).length, text };
    },
    [Symbol.asyncDispose]: () => stop([program, app], placement, folder),
  };
}

async function stop(programs: readonly Program[], placement: PlacementProgram, folder: Folder): Promise<void> {
  await Promise.all(programs.map((program) => program.signal("SIGINT")));
  await placement[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
}

function resources(folder: Folder): string {
  return [
    component("store", "state.in-memory", { actorStateStore: "true" }),
    component("broker", "pubsub.in-memory"),
    component("files", "bindings.localstorage", { rootPath: folder.path }),
  ].join("---\n");
}

/** Names are resolved through a file, so that nothing of the network is asked. */
function configuration(folder: Folder): string {
  return `apiVersion: dapr.io/v1alpha1
kind: Configuration
metadata:
  name: named
spec:
  metrics:
    recordErrorCodes: true
  nameResolution:
    component: sqlite
    configuration:
      connectionString: ${join(folder.path, "names.db")}
`;
}
