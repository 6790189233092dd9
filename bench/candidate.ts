import { accessSync, constants } from "node:fs";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { freePort, type RunningProcess, startProcess } from "./running-process.ts";

/** What a sidecar can be measured with or without. */
export const FEATURES = ["tracing", "mtls", "no-metrics"] as const;
export type Feature = (typeof FEATURES)[number];

/** A daprd-compatible executable under a name. */
export interface Candidate {
  readonly name: string;
  readonly path: string;
  /** Its placement and scheduler; without them the executable itself, which takes the role as its first argument. */
  readonly placement?: string;
  readonly scheduler?: string;
  readonly sentry?: string;
  /** What its sidecars are measured with. */
  readonly features: ReadonlySet<Feature>;
}

const CANDIDATE_FORM = "NAME[+FEATURE…]=PATH[,PLACEMENT,SCHEDULER[,SENTRY]]";

/** @param text as `CANDIDATE_FORM` @throws Error for a path that cannot be run and for an unknown feature */
export function parseCandidate(text: string): Candidate {
  const mark = text.indexOf("=");
  const [path, placement, scheduler, sentry, ...more] = text
    .slice(mark + 1)
    .split(",")
    .map((each) => resolve(each));
  if (mark <= 0 || path === undefined || more.length > 0 || (placement === undefined) !== (scheduler === undefined)) {
    throw new Error(`--candidate takes ${CANDIDATE_FORM}, not ${JSON.stringify(text)}`);
  }
  for (const each of [path, placement, scheduler, sentry]) {
    if (each !== undefined) accessSync(each, constants.X_OK);
  }
  const name = text.slice(0, mark);
  return {
    name,
    path,
    features: new Set(name.split("+").slice(1).map(featureOf)),
    ...(placement !== undefined && { placement }),
    ...(scheduler !== undefined && { scheduler }),
    ...(sentry !== undefined && { sentry }),
  };
}

function featureOf(text: string): Feature {
  const found = FEATURES.find((one) => one === text);
  if (found === undefined) {
    throw new Error(`nothing to measure with is called ${JSON.stringify(text)}; there are: ${FEATURES.join(", ")}`);
  }
  return found;
}

export interface SidecarFlags {
  readonly appId: string;
  readonly resourcesPath: string;
  readonly appPort?: number;
  readonly appProtocol?: "http" | "grpc";
  /** Further flags. */
  readonly more?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
}

/** The app that hosts actors and takes jobs. */
export async function startActorApp(): Promise<RunningProcess> {
  const port = await freePort();
  const script = fileURLToPath(new URL("actor-app.mjs", import.meta.url));
  return await startProcess(process.execPath, [script, String(port)], port, "/", 200);
}

/** Starts a candidate with default flags and metrics, on free ports of the loopback interface. */
export async function startSidecar(candidate: Candidate, flags: SidecarFlags): Promise<RunningProcess> {
  const [http, grpc, internal, metrics] = await Promise.all([freePort(), freePort(), freePort(), freePort()]);
  const args = [
    `--app-id=${flags.appId}`,
    `--dapr-http-port=${http}`,
    `--dapr-grpc-port=${grpc}`,
    `--dapr-internal-grpc-port=${internal}`,
    "--dapr-internal-grpc-listen-address=127.0.0.1",
    "--dapr-listen-addresses=127.0.0.1",
    `--metrics-port=${metrics}`,
    "--metrics-listen-address=127.0.0.1",
    `--resources-path=${flags.resourcesPath}`,
    "--log-level=warn",
    ...(flags.appPort === undefined ? [] : [`--app-port=${flags.appPort}`]),
    `--app-protocol=${flags.appProtocol ?? "http"}`,
    ...(flags.more ?? []),
  ];
  return {
    ...(await startProcess(candidate.path, args, http, "/v1.0/healthz", 204, flags.environment)),
    grpcPort: grpc,
  };
}

/** Yardstick E: the bare echo server. */
export async function startEcho(): Promise<RunningProcess> {
  const port = await freePort();
  return await startProcess(process.execPath, [yardstick("echo.mjs"), String(port)], port, "/", 200);
}

/** The app that answers gRPC calls. */
export async function startGrpcApp(): Promise<RunningProcess> {
  const port = await freePort();
  const script = fileURLToPath(new URL("grpc-app.ts", import.meta.url));
  return await startProcess(process.execPath, [script, String(port)], port, "/", 200);
}

/** The app that counts the events it is sent. */
export async function startCountingApp(): Promise<RunningProcess> {
  const port = await freePort();
  const script = fileURLToPath(new URL("counting-app.mjs", import.meta.url));
  return await startProcess(process.execPath, [script, String(port)], port, "/", 200);
}

/** Yardstick P: the bare proxy in front of `target`. */
export async function startProxy(target: number): Promise<RunningProcess> {
  const port = await freePort();
  return await startProcess(
    process.execPath,
    [yardstick("proxy.mjs"), String(port), `http://127.0.0.1:${target}`],
    port,
    "/",
    200,
  );
}

function yardstick(file: string): string {
  return fileURLToPath(new URL(`yardsticks/${file}`, import.meta.url));
}
