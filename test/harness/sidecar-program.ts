import { join } from "node:path";
import { type Program, startOutrigger } from "./outrigger-program.ts";
import { type Folder, temporaryFolder } from "./resources.ts";
import { freePort } from "./test-app.ts";
import { until } from "./until.ts";

/** A sidecar in a process of its own, with its resources in `folder.path` and its Configuration in `config.txt` there. */
export interface SidecarProgram extends AsyncDisposable {
  readonly program: Program;
  readonly folder: Folder;
  readonly httpPort: number;
  readonly metricsPort: number;
  fetch(path: string, init?: RequestInit): Promise<Response>;
  metrics(): Promise<string>;
  /** Whether `GET /v1.0/healthz` answers that it is ready. */
  isReady(): Promise<boolean>;
}

export interface SidecarProgramOptions {
  readonly resources?: string;
  readonly configuration?: string;
  readonly flags?: readonly string[];
}

/** Starts `outrigger sidecar` as `test-app` and waits until it is ready. */
export async function startSidecarProgram(options: SidecarProgramOptions = {}): Promise<SidecarProgram> {
  const folder = await temporaryFolder();
  await folder.write("resources.yaml", options.resources ?? "");
  await folder.write("config.txt", options.configuration ?? "");
  const [httpPort, grpcPort, metricsPort] = [await freePort(), await freePort(), await freePort()];
  const program = startOutrigger(
    [
      "sidecar",
      "--app-id=test-app",
      `--dapr-http-port=${httpPort}`,
      `--dapr-grpc-port=${grpcPort}`,
      `--metrics-port=${metricsPort}`,
      "--dapr-listen-addresses=127.0.0.1",
      `--resources-path=${folder.path}`,
      ...(options.configuration === undefined ? [] : [`--config=${join(folder.path, "config.txt")}`]),
      ...(options.flags ?? []),
    ],
    { cwd: folder.path },
  );
  const get = (path: string, init?: RequestInit): Promise<Response> =>
    fetch(`http://127.0.0.1:${httpPort}${path}`, init);
  const isReady = (): Promise<boolean> =>
    get("/v1.0/healthz").then(
      ({ ok }) => ok,
      () => false,
    );
  const one: SidecarProgram = {
    program,
    folder,
    httpPort,
    metricsPort,
    fetch: get,
    metrics: async () => (await fetch(`http://127.0.0.1:${metricsPort}/`)).text(),
    isReady,
    async [Symbol.asyncDispose]() {
      await program[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
  try {
    await until("the sidecar is ready", isReady, READY_PATIENCE_MS);
  } catch (error) {
    await one[Symbol.asyncDispose]();
    throw new Error(`the sidecar did not come up:\n${program.output}`, { cause: error });
  }
  return one;
}

/** Several processes that start at once on a busy machine take longer than what one test waits for within itself. */
const READY_PATIENCE_MS = 30_000;
