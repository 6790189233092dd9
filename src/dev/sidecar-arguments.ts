import type { AppPlan, SidecarPortPlan } from "./types.ts";

/**
 * daprd's flags for the sidecar of an app. What the plan gives as flags comes last and wins.
 * @param first flags of the command that runs it
 */
export function sidecarArguments(plan: AppPlan, ports: SidecarPortPlan, first: readonly string[]): readonly string[] {
  return [
    `--app-id=${plan.appId}`,
    ...(plan.appPort === undefined ? [] : [`--app-port=${plan.appPort}`]),
    `--app-protocol=${plan.appProtocol}`,
    `--app-channel-address=${plan.appChannelAddress}`,
    `--dapr-http-port=${ports.http}`,
    `--dapr-grpc-port=${ports.grpc}`,
    `--dapr-internal-grpc-port=${ports.internalGrpc}`,
    `--metrics-port=${ports.metrics}`,
    ...plan.resourcesPaths.flatMap((path) => ["--resources-path", quotedInList(path)]),
    ...plan.configPaths.flatMap((path) => ["--config", quotedInList(path)]),
    ...first,
    ...plan.sidecarFlags,
  ];
}

/** A value of a list flag is read as a line of CSV. */
function quotedInList(path: string): string {
  return /[",\n]/.test(path) ? `"${path.replaceAll('"', '""')}"` : path;
}
