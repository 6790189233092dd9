import { boolean, dictionary, integer, list, struct, text, type Shape } from "../resources/shape.ts";
import type { Place } from "../resources/yaml-node.ts";

/** A value of a run file and where it stands, for problems that only show later: a folder that is not there. */
export interface Written<T> {
  readonly value: T;
  readonly place: Place;
}

function written<T>(shape: Shape<T>): Shape<Written<T>> {
  return (node, reading, path) => ({ value: shape(node, reading, path), place: node.place });
}

const words = written(text);
const number = written(integer);
const flag = written(boolean);

/** Keys of `common` and of every app. */
const sharedFields = {
  resourcesPaths: list(words),
  resourcesPath: words,
  configFilePath: words,
  appProtocol: words,
  apiListenAddresses: words,
  enableProfiling: flag,
  logLevel: words,
  appMaxConcurrency: number,
  placementHostAddress: words,
  schedulerHostAddress: words,
  appSSL: flag,
  maxBodySize: words,
  readBufferSize: words,
  enableAppHealthCheck: flag,
  appHealthCheckPath: words,
  appHealthProbeInterval: number,
  appHealthProbeTimeout: number,
  appHealthThreshold: number,
  enableApiLogging: flag,
  runtimePath: words,
  env: dictionary(words),
  daprdLogDestination: words,
  appLogDestination: words,
} as const;

const appFields = {
  ...sharedFields,
  appID: words,
  appDirPath: words,
  appPort: number,
  daprHTTPPort: number,
  daprGRPCPort: number,
  daprInternalGRPCPort: number,
  profilePort: number,
  metricsPort: number,
  unixDomainSocket: words,
  appChannelAddress: words,
  command: written(list(text)),
  containerImage: words,
  containerImagePullPolicy: words,
  createService: flag,
} as const;

const shared = struct(sharedFields);
const app = struct(appFields);

/** A run file as written: Dapr CLI's `RunFileConfig` (pkg/runfileconfig), whose keys are exact in case. */
export const runFileShape = struct({
  version: number,
  name: words,
  common: shared,
  apps: list(written(app)),
});

/** `common`, or the part of an app that `common` could also say; undefined: not written. */
export type SharedSettings = ReturnType<typeof shared>;

/** One entry of `apps`. */
export type AppSettings = ReturnType<typeof app>;

export type WrittenRunFile = ReturnType<typeof runFileShape>;
