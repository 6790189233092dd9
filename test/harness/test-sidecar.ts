import { createSharedScope } from "../../src/inventory/shared-scope.ts";
import { systemRandom } from "../../src/kit/random.ts";
import { systemClock } from "../../src/kit/system-clock.ts";
import { createH2Transport } from "../../src/net/h2/protocol/transport.ts";
import { defaultOptions } from "../../src/sidecar/default-options.ts";
import type { SidecarOptions } from "../../src/sidecar/options.ts";
import { createSidecar } from "../../src/sidecar/sidecar.ts";
import type { Sidecar, SidecarDeps } from "../../src/sidecar/types.ts";
import { GrpcCaller } from "./grpc-caller.ts";
import { type RecordingLogger, recordingLogger } from "./recording-logger.ts";
import { temporaryFolder } from "./resources.ts";

/** What a test asks for; doors stand open on free ports and everything else is the default. */
export interface TestSidecarOptions extends Partial<SidecarOptions> {
  /** YAML documents. */
  readonly resources?: string;
  readonly configuration?: string;
  readonly deps?: Partial<SidecarDeps>;
}

/** A sidecar with its doors on free loopback ports; disposing of it stops it and removes its files. */
export interface TestSidecar extends AsyncDisposable {
  readonly sidecar: Sidecar;
  readonly logger: RecordingLogger;
  /** `http://127.0.0.1:<port>` */
  readonly url: string;
  readonly grpc: GrpcCaller;
  /** Over HTTP; `path` begins with a slash. */
  fetch(path: string, init?: RequestInit): Promise<Response>;
  stop(): Promise<void>;
}

/** Starts a sidecar and, unless `untilReady` is false, waits until the app is there and its subscriptions are live. */
export async function startTestSidecar(asked: TestSidecarOptions = {}, untilReady = true): Promise<TestSidecar> {
  const { resources, configuration, deps, ...options } = asked;
  const folder = await temporaryFolder();
  if (resources !== undefined) {
    await folder.write("resources.yaml", resources);
  }
  const configPaths = configuration === undefined ? [] : [await folder.write("configuration.txt", configuration)];
  const logger = recordingLogger();
  const sidecar = createSidecar(
    {
      ...defaultOptions("test-app"),
      httpPort: 0,
      grpcPort: 0,
      internalGrpcPort: 0,
      resourcesPaths: resources === undefined ? [] : [folder.path],
      configPaths,
      ...options,
    },
    {
      logger,
      clock: systemClock,
      random: systemRandom,
      environment: {},
      shared: createSharedScope(),
      transport: createH2Transport(),
      nameResolution: "outrigger.local",
      ...deps,
    },
  );
  const grpcCallers: GrpcCaller[] = [];
  const stop = async (): Promise<void> => {
    for (const caller of grpcCallers) {
      caller.close();
    }
    await sidecar.stop("host");
    await folder[Symbol.asyncDispose]();
  };
  try {
    await sidecar.start();
    if (untilReady) {
      await sidecar.ready;
    }
  } catch (error) {
    await stop();
    throw error;
  }
  const { ports } = sidecar;
  const url = `http://127.0.0.1:${ports.http ?? 0}`;
  grpcCallers.push(new GrpcCaller(`127.0.0.1:${ports.grpc ?? 0}`));
  return {
    sidecar,
    logger,
    url,
    grpc: grpcCallers[0]!,
    fetch: (path, init) => fetch(url + path, init),
    stop,
    [Symbol.asyncDispose]: stop,
  };
}
