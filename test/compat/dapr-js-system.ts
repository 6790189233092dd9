import { DaprClient, DaprServer } from "@dapr/dapr";
import type { RunningSidecar, StartOptions } from "../executable/program.ts";
import { configuration, type Folder, temporaryFolder } from "../harness/resources.ts";
import { freePort } from "../harness/test-app.ts";
import { startCandidate } from "./candidate.ts";
import { type Protocol, sdkBasics, sdkClientOptions } from "./dapr-js.ts";

/** What sidecars are started with. */
export interface SystemOptions {
  /** The clients', and the servers' too unless `serverProtocol` says otherwise. */
  readonly protocol: Protocol;
  /** YAML documents; they may name files beside them, in `folder`. */
  resources?(folder: string): string;
  /** Files that are in `folder` before the sidecars are. */
  readonly files?: Readonly<Record<string, string>>;
  /** YAML of the Configuration's spec, indented by two spaces. */
  readonly settings?: string;
  readonly env?: NonNullable<StartOptions["env"]>;
}

/** A sidecar called `orders` that has no app, and a client of it. */
export interface ClientSystem {
  readonly client: DaprClient;
  readonly sidecar: RunningSidecar;
  readonly folder: string;
  stop(): Promise<void>;
}

export interface PairOptions extends SystemOptions {
  readonly serverProtocol?: Protocol;
  /** Registers what the servers serve, before these start. */
  prepare(servers: { readonly orders: DaprServer; readonly stock: DaprServer }): Promise<void>;
}

/** Two apps on the SDK, `orders` and `stock`; their sidecars find each other through a file. */
export interface PairSystem {
  /** Of `orders`' sidecar. */
  readonly client: DaprClient;
  /** Of `stock`'s sidecar. */
  readonly stockClient: DaprClient;
  readonly folder: string;
  stop(): Promise<void>;
}

export async function startClientSystem(options: SystemOptions): Promise<ClientSystem> {
  const { protocol, env = {} } = options;
  const folder = await temporaryFolder();
  const sidecar = await startCandidate(["--app-id=orders", ...(await writeFiles(folder, options))], { env });
  const client = new DaprClient(sdkClientOptions(sidecar, protocol));
  return {
    client,
    sidecar,
    folder: folder.path,
    async stop() {
      await client.stop();
      await sidecar.stop("SIGTERM");
      await folder[Symbol.asyncDispose]();
    },
  };
}

export async function startPairSystem(options: PairOptions): Promise<PairSystem> {
  const folder = await temporaryFolder();
  const names = `  nameResolution:
    component: sqlite
    configuration: { connectionString: ${JSON.stringify(`${folder.path}/names.db`)} }
`;
  const args = await writeFiles(folder, options, names);
  const orders = await plan("orders", options);
  const stock = await plan("stock", options);
  await options.prepare({ orders: orders.server, stock: stock.server });
  const sidecars = await Promise.all([run(orders, args, options), run(stock, args, options)]);
  return {
    client: orders.server.client,
    stockClient: stock.server.client,
    folder: folder.path,
    async stop() {
      await orders.server.client.stop();
      await stock.server.client.stop();
      await Promise.all(sidecars.map((sidecar) => sidecar.stop("SIGTERM")));
      await Promise.all([orders.server.stop(), stock.server.stop()]);
      await folder[Symbol.asyncDispose]();
    },
  };
}

/** @returns the flags that lead to what was written */
async function writeFiles(
  folder: Folder,
  { resources, files = {}, settings = "" }: SystemOptions,
  names = "",
): Promise<readonly string[]> {
  await folder.write("resources.yaml", resources?.(folder.path) ?? "");
  for (const [name, text] of Object.entries(files)) {
    await folder.write(name, text);
  }
  const config = await folder.write("configuration.txt", configuration(names + settings || "  {}"));
  return [`--resources-path=${folder.path}`, `--config=${config}`];
}

/** A server that has not started, and the ports by which it and its sidecar will know each other. */
interface PlannedApp {
  readonly appId: string;
  readonly appPort: number;
  readonly appProtocol: Protocol;
  readonly port: number;
  readonly grpcPort: number;
  readonly server: DaprServer;
}

async function plan(appId: string, { protocol, serverProtocol = protocol }: PairOptions): Promise<PlannedApp> {
  const ports = { port: await freePort(), grpcPort: await freePort() };
  const appPort = await freePort();
  const server = new DaprServer({
    serverHost: "127.0.0.1",
    serverPort: String(appPort),
    clientOptions: sdkClientOptions(ports, protocol),
    ...sdkBasics(serverProtocol),
  });
  return { appId, appPort, appProtocol: serverProtocol, ...ports, server };
}

/** Starts both at once, as each waits for the other. */
async function run(app: PlannedApp, args: readonly string[], { env = {} }: PairOptions): Promise<RunningSidecar> {
  const flags = [`--app-id=${app.appId}`, `--app-port=${app.appPort}`, `--app-protocol=${app.appProtocol}`];
  const [sidecar] = await Promise.all([
    startCandidate([...flags, ...args], { env, httpPort: app.port, grpcPort: app.grpcPort }),
    app.server.start(),
  ]);
  return sidecar;
}
