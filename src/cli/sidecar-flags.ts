import type { FlagDefinition, FlagKind } from "./flag-set.ts";

/**
 * Every flag of daprd 1.18.3 (cmd/daprd/options/options.go, with kit's logger and the metrics exporter), and `--log-file`
 * of later releases; `--http2` is the only one of ours. Names, defaults and deprecations are contract; descriptions are ours.
 */
export const SIDECAR_FLAGS = [
  flag(
    "duration",
    "actors-disseminate-timeout",
    "30s",
    "How long a dissemination of the actor table may take before the sidecar resets its placement stream; must be positive",
  ),
  deprecated("string", "actors-service", "", "flag no longer has any effect"),
  flag(
    "string",
    "allowed-origins",
    "",
    "Origins that browsers may call from, comma-separated; * for any, empty for no CORS",
  ),
  flag(
    "duration",
    "app-binding-options-timeout",
    "3s",
    "Time for the app to answer which input bindings it takes; a value that is not positive means the default",
  ),
  flag("string", "app-channel-address", "127.0.0.1", "Address the app listens on"),
  flag("string", "app-health-check-path", "/healthz", "Path of health probes, for HTTP apps"),
  flag("int", "app-health-probe-interval", "5", "Seconds between probes of the app's health"),
  flag("int", "app-health-probe-timeout", "500", "Milliseconds that a probe may take; at most the interval"),
  flag("int", "app-health-threshold", "3", "Failures in a row that make the app unhealthy"),
  flag("string", "app-id", "", "Unique name of the app; required, without dots"),
  flag("int", "app-max-concurrency", "-1", "Calls to the app at a time; -1 for no limit"),
  flag("string", "app-port", "", "Port the app listens on; empty for an app that is not called"),
  flag("string", "app-protocol", "http", "Protocol of the app: http, https, h2c, grpc or grpcs"),
  deprecated("bool", "app-ssl", "false", "use '--app-protocol https|grpcs'"),
  flag("bool", "build-info", "false", "Print the build and exit"),
  deprecated("string", "components-path", "", "use --resources-path"),
  flag("strings", "config", "[]", "Configuration file; later files overlay earlier ones"),
  flag("string", "control-plane-address", "", "Address of the operator, in Kubernetes"),
  flag("string", "control-plane-namespace", "default", "Namespace of the control plane"),
  flag("string", "control-plane-trust-domain", "localhost", "Trust domain of the control plane"),
  flag(
    "duration",
    "dapr-block-shutdown-duration",
    "0s",
    "How long a stop by signal waits, APIs open, unless the app turns unhealthy",
  ),
  flag("int", "dapr-graceful-shutdown-seconds", "5", "Seconds a stop may take; negative for the default"),
  flag("string", "dapr-grpc-port", "50001", "Port of the gRPC API"),
  deprecated("int", "dapr-http-max-request-size", "4", "use '--max-body-size 4Mi'"),
  flag("string", "dapr-http-port", "3500", "Port of the HTTP API"),
  deprecated("int", "dapr-http-read-buffer-size", "4", "use '--read-buffer-size 4Ki'"),
  flag(
    "string",
    "dapr-internal-grpc-listen-address",
    "",
    "Address for calls from other sidecars; a loopback address is also what they are told",
  ),
  flag(
    "string",
    "dapr-internal-grpc-port",
    "",
    "Port for calls from other sidecars; empty or 0 for one that stays the same between runs",
  ),
  flag("string", "dapr-listen-addresses", "", "Addresses of the APIs, comma-separated; empty for all"),
  flag("string", "dapr-public-listen-address", "", "Address of the public port"),
  flag("string", "dapr-public-port", "", "Port that serves health and metadata only, without a token"),
  flag("bool", "disable-builtin-k8s-secret-store", "false", "Go without the secret store `kubernetes`"),
  flag("strings", "disable-init-endpoints", "[]", "Calls to leave out when the app comes up: config, subscribe"),
  flag(
    "bool",
    "enable-api-logging",
    "false",
    "Log every call of the API; where it is not given, the Configuration decides",
  ),
  flag("bool", "enable-app-health-check", "false", "Probe the app's health over its protocol"),
  flag("bool", "enable-metrics", "true", "Serve Prometheus metrics"),
  flag("bool", "enable-mtls", "false", "Use mutual TLS between sidecars"),
  flag("bool", "enable-profiling", "false", "Accepted; profiles of this runtime are taken with Node's tools"),
  flag(
    "duration",
    "hot-reload-reconcile-interval",
    "0s",
    "Time between full reconciles of hot-reloaded resources; 0 for 60s",
  ),
  flag("string", "http2", "own", "Implementation of HTTP/2: own, or node for that of Node; not a flag of daprd"),
  flag("bool", "log-as-json", "false", "Log in JSON"),
  flag("string", "log-file", "", "Append the log to this file in place of standard output"),
  flag("string", "log-level", "info", "Least level to log: debug, info, warn, error or fatal"),
  flag("string", "max-body-size", "4Mi", "Limit of request bodies as a resource quantity; 0 for none"),
  flag("string", "metrics-listen-address", "0.0.0.0", "Address of the metrics server"),
  flag("string", "metrics-port", "9090", "Port of the metrics server"),
  flag("string", "mode", "standalone", "Where the sidecar runs: standalone or kubernetes"),
  flag("string", "placement-host-address", "", "Addresses of the placement service, comma-separated"),
  flag("string", "profile-port", "7777", "Accepted with --enable-profiling; nothing listens there"),
  flag("string", "read-buffer-size", "4Ki", "Limit of request headers as a resource quantity"),
  deprecated("string", "reminders-service", "", "flag no longer has any effect"),
  flag("strings", "resources-path", "[]", "Folder of resources; may be given several times"),
  flag("strings", "scheduler-host-address", "[]", "Addresses of the scheduler service, comma-separated"),
  flag("uint", "scheduler-job-streams", "3", "Streams to each scheduler"),
  flag("string", "sentry-address", "", "Address of the certificate authority"),
  flag(
    "strings",
    "sentry-request-jwt-audiences",
    "[]",
    "Audiences of tokens asked from the certificate authority; the trust domain where not given",
  ),
  flag("string", "unix-domain-socket", "", "Folder for sockets that take the place of the APIs' ports"),
  flag("bool", "version", "false", "Print the version and exit"),
  flag("bool", "wait", "false", "Wait until the sidecar on --dapr-http-port can make calls, then exit"),
] as const satisfies readonly FlagDefinition[];

export type SidecarFlag = (typeof SIDECAR_FLAGS)[number];

function flag<K extends FlagKind, N extends string>(kind: K, name: N, value: string, description: string) {
  return { kind, name, default: value, description } as const;
}

function deprecated<K extends FlagKind, N extends string>(kind: K, name: N, value: string, advice: string) {
  return { kind, name, default: value, description: "", deprecated: advice } as const;
}
