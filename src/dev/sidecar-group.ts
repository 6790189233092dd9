import { hostname } from "node:os";
import { createSharedScope } from "../inventory/shared-scope.ts";
import type { LogLevel } from "../kit/logger.ts";
import { systemClock } from "../kit/system-clock.ts";
import { systemRandom } from "../kit/random.ts";
import { createH2Transport } from "../net/h2/protocol/transport.ts";
import { defaultOptions } from "../sidecar/default-options.ts";
import { createSidecar } from "../sidecar/sidecar.ts";
import type { Sidecar } from "../sidecar/types.ts";
import { RUNTIME_VERSION } from "../sidecar/version.ts";
import { createLogger } from "../telemetry/log/logger.ts";
import { createLogSink } from "../telemetry/log/sink.ts";

const STANDARD_ERROR = 2;

/** One app and the ports of its sidecar; 0 picks free ones. */
export interface GroupApp {
  readonly appId: string;
  readonly appPort: number;
  readonly appProtocol: "http" | "grpc";
  readonly httpPort?: number;
  readonly grpcPort?: number;
}

export interface SidecarGroupOptions {
  readonly apps: readonly GroupApp[];
  readonly resourcesPaths: readonly string[];
  readonly configPaths?: readonly string[];
  /** Lines below it are not written; `info` by default. */
  readonly logLevel?: LogLevel;
  /** For `secretstores.local.env` and references in resources. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
}

/** Where an app reaches its sidecar. */
export interface GroupMember {
  readonly httpPort: number;
  readonly grpcPort: number;
}

/** Sidecars of several apps in this process. */
export interface SidecarGroup {
  /** @throws Error for an app that is not in the group */
  sidecar(appId: string): GroupMember;
  /** Resolves when every app has answered its sidecar and is subscribed. */
  ready(): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Starts a sidecar per app on loopback ports, with one in-memory broker per component name and one name registry between
 * them. Resolves when the APIs are open; the apps may come later.
 */
export async function startSidecarGroup(options: SidecarGroupOptions): Promise<SidecarGroup> {
  const shared = createSharedScope();
  const sink = createLogSink({ fd: STANDARD_ERROR });
  const sidecars = new Map<string, Sidecar>();
  for (const app of options.apps) {
    sidecars.set(
      app.appId,
      createSidecar(
        {
          ...defaultOptions(app.appId),
          appPort: app.appPort,
          appProtocol: app.appProtocol,
          httpPort: app.httpPort ?? 0,
          grpcPort: app.grpcPort ?? 0,
          internalGrpcPort: 0,
          resourcesPaths: options.resourcesPaths,
          configPaths: options.configPaths ?? [],
        },
        {
          logger: createLogger({
            appId: app.appId,
            instance: hostname(),
            version: RUNTIME_VERSION,
            level: options.logLevel ?? "info",
            asJson: false,
            sink,
            clock: systemClock,
          }),
          clock: systemClock,
          random: systemRandom,
          environment: options.environment ?? {},
          shared,
          transport: createH2Transport(),
          nameResolution: "outrigger.local",
        },
      ),
    );
  }
  const stop = async (): Promise<void> => {
    await Promise.all([...sidecars.values()].map((sidecar) => sidecar.stop("host")));
    await sink.close();
  };
  try {
    await Promise.all([...sidecars.values()].map((sidecar) => sidecar.start()));
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    sidecar(appId) {
      const ports = sidecars.get(appId)?.ports;
      if (ports?.http === undefined || ports.grpc === undefined) {
        throw new Error(`no sidecar for app ${appId} in this group: there are ${[...sidecars.keys()].join(", ")}`);
      }
      return { httpPort: ports.http, grpcPort: ports.grpc };
    },
    async ready() {
      await Promise.all([...sidecars.values()].map((sidecar) => sidecar.ready));
    },
    stop,
  };
}
