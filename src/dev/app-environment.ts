import type { AppPlan, SidecarPortPlan } from "./types.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** The app's environment: that of the command, then Dapr's variables (pkg/standalone/run.go, `getEnv`), then the plan's. */
export function appEnvironment(plan: AppPlan, ports: SidecarPortPlan, environment: Environment): Environment {
  return {
    ...environment,
    APP_ID: plan.appId,
    ...(plan.appPort === undefined ? {} : { APP_PORT: String(plan.appPort) }),
    APP_CHANNEL_ADDRESS: plan.appChannelAddress,
    APP_PROTOCOL: plan.appProtocol,
    DAPR_HTTP_PORT: String(ports.http),
    DAPR_GRPC_PORT: String(ports.grpc),
    DAPR_METRICS_PORT: String(ports.metrics),
    ...plan.env,
  };
}
