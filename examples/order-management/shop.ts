import { CommunicationProtocolEnum, DaprClient, LogLevel } from "@dapr/dapr";
import { join } from "node:path";
import { startSidecarGroup } from "../../src/dev/sidecar-group.ts";
import { type AppPorts, freePort, startApp } from "./apps.ts";
import { FACADE_APP, STOCK_APP } from "./model/names.ts";
import { orAborted } from "./waiting.ts";

/** For the apps to listen and for their sidecars to find them and to read their subscriptions. */
const READY_MS_MAX = 20_000;

/** Both services with their sidecars, ready for orders. */
export interface Shop {
  /** Clients of the sidecars, by the app beside them. */
  readonly sidecars: { readonly facade: DaprClient; readonly stock: DaprClient };
  readonly facadeUrl: string;
  /** Where everything listens, as lines for a person. */
  readonly addresses: readonly string[];
  /** Rejects when a service ends on its own; never resolves. */
  readonly ended: Promise<never>;
  /** Ends the services, then the sidecars. */
  stop(): Promise<void>;
}

/** Starts the sidecars in this process and the services as its children. When that throws, nothing of it is left. */
export async function startShop(signal: AbortSignal): Promise<Shop> {
  const appPorts = { facade: await freePort(), stock: await freePort() };
  const group = await startSidecarGroup({
    apps: [
      { appId: FACADE_APP, appPort: appPorts.facade, appProtocol: "http" },
      { appId: STOCK_APP, appPort: appPorts.stock, appProtocol: "grpc" },
    ],
    resourcesPaths: [join(import.meta.dirname, "resources")],
    logLevel: "error",
  });
  const facade: AppPorts = { appPort: appPorts.facade, ...group.sidecar(FACADE_APP) };
  const stock: AppPorts = { appPort: appPorts.stock, ...group.sidecar(STOCK_APP) };
  const apps = [startApp(FACADE_APP, facade), startApp(STOCK_APP, stock)];
  const stop = async (): Promise<void> => {
    await Promise.all(apps.map(async (app) => await app.stop()));
    await group.stop();
  };

  const tooLate = AbortSignal.timeout(READY_MS_MAX);
  try {
    const listening = apps.map(async (app) => await app.listening);
    await orAborted(Promise.all([...listening, group.ready()]), AbortSignal.any([signal, tooLate]));
  } catch (error) {
    await stop();
    throw error;
  }
  const facadeUrl = `http://127.0.0.1:${facade.appPort}`;
  return {
    sidecars: { facade: sidecarClient(facade), stock: sidecarClient(stock) },
    facadeUrl,
    addresses: [
      `façade  ${facadeUrl}  (sidecar: ${sidecarUrls(facade)})`,
      `stock   grpc://127.0.0.1:${stock.appPort}  (sidecar: ${sidecarUrls(stock)})`,
    ],
    ended: Promise.race(apps.map(async (app) => await app.ended)),
    stop,
  };
}

function sidecarUrls({ httpPort, grpcPort }: AppPorts): string {
  return `http://127.0.0.1:${httpPort}, grpc://127.0.0.1:${grpcPort}`;
}

function sidecarClient({ httpPort }: AppPorts): DaprClient {
  return new DaprClient({
    daprPort: String(httpPort),
    communicationProtocol: CommunicationProtocolEnum.HTTP,
    logger: { level: LogLevel.Warn },
  });
}
