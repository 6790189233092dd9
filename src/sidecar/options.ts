import type { AppProtocol } from "../app/types.ts";

/**
 * Everything that decides how one sidecar runs, already parsed and validated. Command-line flags, `outrigger dev` and
 * `createRuntime` all end here; names follow daprd's flags.
 */
export interface SidecarOptions {
  readonly appId: string;
  readonly namespace: string;
  /** Undefined: no app channel. */
  readonly appPort: number | undefined;
  readonly appProtocol: Exclude<AppProtocol, "in-process">;
  readonly appChannelAddress: string;
  /** In-flight calls to the app; -1: no limit. */
  readonly appMaxConcurrency: number;
  /** 0 picks a free port; undefined: the door is closed (embedded shape). */
  readonly httpPort: number | undefined;
  readonly grpcPort: number | undefined;
  readonly internalGrpcPort: number | undefined;
  readonly publicPort: number | undefined;
  readonly listenAddresses: readonly string[];
  readonly internalListenAddress: string;
  readonly publicListenAddress: string;
  /** Folder for `dapr-<app-id>-{http,grpc}.socket` instead of TCP; empty: TCP. */
  readonly unixDomainSocket: string;
  readonly resourcesPaths: readonly string[];
  readonly configPaths: readonly string[];
  /**
   * Resource folders are watched while the sidecar runs, and compared with what is in use every `reconcileMs`; undefined:
   * only `reload` looks at them. The Configuration can switch both off (feature `HotReload`).
   */
  readonly hotReload: { readonly reconcileMs: number } | undefined;
  readonly allowedOrigins: string;
  /** Bytes; 0: no limit. */
  readonly maxBodyBytes: number;
  readonly readBufferBytes: number;
  /** What a stop may take in all; 0: as long as it takes. */
  readonly gracefulShutdownMs: number;
  readonly blockShutdownMs: number | undefined;
  /** Undefined: the Configuration decides. */
  readonly apiLogging: boolean | undefined;
  readonly appHealth: {
    readonly enabled: boolean;
    readonly path: string;
    readonly probeIntervalMs: number;
    readonly probeTimeoutMs: number;
    readonly threshold: number;
  };
  /** Milliseconds for the app's answer about one input binding. */
  readonly bindingDiscoveryTimeoutMs: number;
  readonly disableInitEndpoints: readonly ("config" | "subscribe")[];
  readonly h2cDisabled: boolean;
  readonly placement: {
    /** `host:port` of placement services; empty: there are no actors. */
    readonly addresses: readonly string[];
    /** Milliseconds of a round in which the sidecars agree on new tables (`--actors-disseminate-timeout`). */
    readonly disseminationTimeoutMs: number;
  };
  readonly scheduler: {
    /** `host:port` of schedulers, any of which knows all others; empty: there are no jobs. */
    readonly addresses: readonly string[];
    /** Streams of triggers from each scheduler, at least 1. */
    readonly jobStreams: number;
  };
  /** Mutual TLS between sidecars and to the control plane; undefined: plain text. */
  readonly mtls: MtlsOptions | undefined;
  readonly metrics: { readonly enabled: boolean; readonly port: number; readonly listenAddress: string };
  /** Token that callers of the API must send; empty: none. */
  readonly apiToken: string;
  /** Token sent to the app with every call; empty: none. */
  readonly appToken: string;
  /** Address peers reach us at; empty: the machine's first non-loopback address. */
  readonly hostAddress: string;
  readonly logLevel: string;
}

/** How a sidecar comes to its certificates. */
export interface MtlsOptions {
  /** host:port of Dapr's certificate authority. */
  readonly sentryAddress: string;
  /** Trust domain and namespace that the ids of sentry, placement and scheduler begin with. */
  readonly controlPlane: { readonly trustDomain: string; readonly namespace: string };
  /** Root certificates, PEM (`DAPR_TRUST_ANCHORS`). */
  readonly trustAnchors: string;
  /** Who tokens are for, besides the trust domain (`--sentry-request-jwt-audiences`). */
  readonly jwtAudiences: readonly string[];
  /** What is asked for in place of the app id (`SENTRY_LOCAL_IDENTITY`); empty: the app id. */
  readonly localIdentity: string;
  /** `DAPR_SENTRY_TOKEN_FILE`; undefined: it is not set. */
  readonly tokenFile: string | undefined;
}

/** How often resources are compared where `--hot-reload-reconcile-interval` does not say, in milliseconds. */
export const RECONCILE_MS_DEFAULT = 60_000;

/** Bytes of one gRPC message for a body limit, whose 0 means none. */
export function messageBytesMax(maxBodyBytes: number): number {
  return maxBodyBytes === 0 ? Number.MAX_SAFE_INTEGER : maxBodyBytes;
}
