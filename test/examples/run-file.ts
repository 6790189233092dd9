import { once } from "node:events";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
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
  common: { resourcesPath?: string; resourcesPaths?: string[] };
  apps: { appDirPath: string; appPort: number }[];
}

export interface RunFileOptions {
  /**
   * How long the broker waits until it takes a consumer for dead and hands its message to the next; undefined: as
   * `outrigger dev` has it, a minute.
   */
  readonly processingSeconds?: number | undefined;
}

/** Writes the example's run file into a folder, with ports that nothing listens on and with absolute paths. */
export async function writeRunFile(folder: string, { processingSeconds }: RunFileOptions = {}): Promise<string> {
  const runFile = parse(readFileSync(join(EXAMPLE, "dapr.yaml"), "utf8")) as RunFile;
  const resources = [join(EXAMPLE, "resources")];
  if (processingSeconds !== undefined) resources.push(writeBroker(folder, processingSeconds));
  runFile.common = { resourcesPaths: resources };
  for (const app of runFile.apps) {
    app.appDirPath = resolve(EXAMPLE, app.appDirPath);
    app.appPort = await freePort();
  }
  const path = join(folder, "dapr.yaml");
  writeFileSync(path, stringify(runFile));
  return path;
}

/** @returns the folder of the component */
function writeBroker(folder: string, processingSeconds: number): string {
  const resources = join(folder, "resources");
  mkdirSync(resources);
  const component = {
    apiVersion: "dapr.io/v1alpha1",
    kind: "Component",
    metadata: { name: "pubsub" },
    spec: {
      type: "pubsub.sqlite",
      version: "v1",
      metadata: [
        { name: "connectionString", value: join(folder, "pubsub.db") },
        { name: "processingTimeout", value: `${processingSeconds}s` },
      ],
    },
  };
  writeFileSync(join(resources, "pubsub.yaml"), stringify(component));
  return resources;
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
