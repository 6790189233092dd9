import { CommunicationProtocolEnum, DaprClient, LogLevel } from "@dapr/dapr";
import { join } from "node:path";
import { z } from "zod";
import { startSidecarGroup } from "../../src/dev/sidecar-group.ts";
import { type App, type AppPorts, freePort, startApp } from "./apps.ts";
import { FACADE_APP, STOCK_APP, TOPIC_OF } from "./model/names.ts";
import { orAborted, waitUntil } from "./waiting.ts";

/** From apps that listen to sidecars that have read their subscriptions. */
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

/** Starts the sidecars in this process and the services as its children; after an abort, nothing of it is left. */
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
  const facadePorts: AppPorts = { appPort: appPorts.facade, ...group.sidecar(FACADE_APP) };
  const stockPorts: AppPorts = { appPort: appPorts.stock, ...group.sidecar(STOCK_APP) };
  const apps = [startApp(FACADE_APP, facadePorts), startApp(STOCK_APP, stockPorts)];
  const stop = async (): Promise<void> => {
    await Promise.all(apps.map(async (app) => await app.stop()));
    await group.stop();
  };
  try {
    await orAborted(Promise.all(apps.map(async (app: App) => await app.listening)), signal);
    const sidecars = { facade: sidecarClient(facadePorts), stock: sidecarClient(stockPorts) };
    const ready = async (): Promise<boolean> => {
      const healthy = await Promise.all([isHealthy(facadePorts), isHealthy(stockPorts)]);
      return healthy.every(Boolean) && (await hasSubscribed(sidecars.stock));
    };
    if (!(await waitUntil(ready, READY_MS_MAX, signal))) {
      throw new Error(`the sidecars were not ready for orders within ${READY_MS_MAX / 1000} s`);
    }
    return {
      sidecars,
      facadeUrl: `http://127.0.0.1:${appPorts.facade}`,
      addresses: [
        `façade  http://127.0.0.1:${appPorts.facade}  (sidecar: ${sidecarPorts(facadePorts)})`,
        `stock   grpc://127.0.0.1:${appPorts.stock}  (sidecar: ${sidecarPorts(stockPorts)})`,
      ],
      ended: Promise.race(apps.map(async (app) => await app.ended)),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

function sidecarPorts({ httpPort, grpcPort }: AppPorts): string {
  return `http://127.0.0.1:${httpPort}, grpc://127.0.0.1:${grpcPort}`;
}

function sidecarClient({ httpPort }: AppPorts): DaprClient {
  return new DaprClient({
    daprPort: String(httpPort),
    communicationProtocol: CommunicationProtocolEnum.HTTP,
    logger: { level: LogLevel.Warn },
  });
}

/** The SDK's own question, `health.isHealthy`, is answered before the sidecar has found its app. */
async function isHealthy({ httpPort }: AppPorts): Promise<boolean> {
  return (await fetch(`http://127.0.0.1:${httpPort}/v1.0/healthz`)).ok;
}

const metadataSchema = z.object({ subscriptions: z.array(z.object({ topic: z.string() })) });

/** An event that is published before anyone has subscribed is nobody's. */
async function hasSubscribed(stock: DaprClient): Promise<boolean> {
  const { subscriptions } = metadataSchema.parse(await stock.metadata.get());
  const topics = new Set(subscriptions.map((subscription) => subscription.topic));
  return Object.values(TOPIC_OF).every((topic) => topics.has(topic));
}
