import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join, resolve } from "node:path";
import { parse, stringify } from "yaml";

const EXAMPLE = resolve(import.meta.dirname, "../../examples/order-management");

/**
 * Below the ports that systems give to outgoing connections: an app that is started again must find its port free.
 * Every process of tests begins elsewhere, so that two of them do not look at the same port at once.
 */
const PORTS_FROM = 20_000;
const PORTS_PER_PROCESS = 100;
const PROCESSES = 100;

const ports = portsOfThisProcess();

interface RunFile {
  common: { resourcesPath: string; configFilePath?: string };
  apps: { appID: string; appDirPath: string; appPort: number; metricsPort?: number; env?: Record<string, string> }[];
}

export interface RunFileOptions {
  /** For the app of that id, besides what it has. */
  readonly environment?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** `spec` of the Configuration of all sidecars. */
  readonly configuration?: object;
}

/** Writes the example's run file into a folder, with ports that nothing listens on and with absolute paths. */
export async function writeRunFile(
  folder: string,
  { environment, configuration }: RunFileOptions = {},
): Promise<string> {
  const runFile = parse(readFileSync(join(EXAMPLE, "dapr.yaml"), "utf8")) as RunFile;
  runFile.common = { resourcesPath: join(EXAMPLE, "resources") };
  if (configuration !== undefined) {
    runFile.common.configFilePath = join(folder, "configuration.yaml");
    const document = { apiVersion: "dapr.io/v1alpha1", kind: "Configuration", metadata: { name: "configuration" } };
    writeFileSync(runFile.common.configFilePath, stringify({ ...document, spec: configuration }));
  }
  for (const app of runFile.apps) {
    app.appDirPath = resolve(EXAMPLE, app.appDirPath);
    app.appPort = await freePort();
    app.metricsPort = await freePort();
    const more = environment?.[app.appID];
    if (more !== undefined) app.env = { ...app.env, ...more };
  }
  const path = join(folder, "dapr.yaml");
  writeFileSync(path, stringify(runFile));
  return path;
}

async function freePort(): Promise<number> {
  for (const port of ports) if (await isFree(port)) return port;
  throw new Error(`all ${PORTS_PER_PROCESS} ports of this process are taken`);
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port);
  try {
    await once(server, "listening");
  } catch {
    return false;
  }
  server.close();
  await once(server, "close");
  return true;
}

/** Each port once, over all files of a process: what is free now may be taken by the time that it is used. */
function portsOfThisProcess(): Iterator<number> & Iterable<number> {
  const from = PORTS_FROM + (process.pid % PROCESSES) * PORTS_PER_PROCESS;
  return Array.from({ length: PORTS_PER_PROCESS }, (_, index) => from + index).values();
}
