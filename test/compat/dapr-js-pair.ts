import { CommunicationProtocolEnum, DaprClient, DaprServer, type LoggerService } from "@dapr/dapr";
import { type SidecarGroup, startSidecarGroup } from "../../src/dev/sidecar-group.ts";
import { freePort } from "../harness/test-app.ts";
import { IN_MEMORY, temporaryFolder } from "../harness/resources.ts";

/** The protocols that the official SDK speaks with its sidecar, and its server with what calls it. */
export const PROTOCOLS = ["http", "grpc"] as const;
export type Protocol = (typeof PROTOCOLS)[number];

/** Two apps on the official SDK, `orders` and `stock`, with a sidecar each in this process. */
export interface DaprJsPair {
  /** Of `orders`' sidecar. */
  readonly client: DaprClient;
  readonly orders: DaprServer;
  readonly stock: DaprServer;
  readonly group: SidecarGroup;
  stop(): Promise<void>;
}

/**
 * Starts the sidecars, lets `prepare` register routes on the two servers, and starts these.
 * In-memory state is `store`, the broker that both share is `broker`.
 */
export async function startDaprJsPair(
  protocol: Protocol,
  prepare: (orders: DaprServer, stock: DaprServer) => Promise<void> = () => Promise.resolve(),
): Promise<DaprJsPair> {
  const folder = await temporaryFolder();
  await folder.write("resources.yaml", IN_MEMORY);
  const apps = [
    { appId: "orders", appPort: await freePort(), appProtocol: protocol },
    { appId: "stock", appPort: await freePort(), appProtocol: protocol },
  ] as const;
  const group = await startSidecarGroup({ apps, resourcesPaths: [folder.path], logLevel: "fatal" });
  const serverOf = ({ appId, appPort }: (typeof apps)[number]): DaprServer =>
    new DaprServer({
      serverHost: "127.0.0.1",
      serverPort: String(appPort),
      clientOptions: clientOptions(group, appId, protocol),
      ...clientBasics(protocol),
    });
  const orders = serverOf(apps[0]);
  const stock = serverOf(apps[1]);
  await prepare(orders, stock);
  await Promise.all([orders.start(), stock.start(), group.ready()]);
  const client = new DaprClient(clientOptions(group, "orders", protocol));
  return {
    client,
    orders,
    stock,
    group,
    async stop() {
      await client.stop();
      await group.stop();
      await Promise.all([orders.stop(), stock.stop()]);
      await folder[Symbol.asyncDispose]();
    },
  };
}

function clientOptions(group: SidecarGroup, appId: string, protocol: Protocol) {
  const { httpPort, grpcPort } = group.sidecar(appId);
  return {
    daprHost: "127.0.0.1",
    daprPort: String(protocol === "http" ? httpPort : grpcPort),
    ...clientBasics(protocol),
  };
}

function clientBasics(protocol: Protocol) {
  const communicationProtocol = protocol === "http" ? CommunicationProtocolEnum.HTTP : CommunicationProtocolEnum.GRPC;
  return { communicationProtocol, logger: { service: SILENT } };
}

const SILENT: LoggerService = {
  error: () => undefined,
  warn: () => undefined,
  info: () => undefined,
  verbose: () => undefined,
  debug: () => undefined,
};
