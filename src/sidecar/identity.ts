import type { WorkloadIdentity } from "../security/identity.ts";
import type { RuntimeMetrics } from "../telemetry/metrics/runtime-metrics.ts";
import { namespaceOf } from "./namespace.ts";
import type { AssemblyPlan } from "./plan.ts";

/**
 * The sidecar's identity, without which nothing of it opens: it waits for the sentry as long as it takes. Undefined where
 * sidecars speak in plain text. Only sidecars with one load what it needs.
 *
 * @throws Error for trust anchors that are none, and when the sentry refuses
 */
export async function openSidecarIdentity(
  { options, deps, health, signal }: AssemblyPlan,
  metrics: RuntimeMetrics | undefined,
): Promise<WorkloadIdentity | undefined> {
  const logger = deps.logger.scope("dapr.runtime.security");
  const target = health.addTarget("security-provider");
  const { mtls } = options;
  if (mtls === undefined) {
    // Sidecars of one process have nothing between them that could be listened to.
    if (deps.process !== undefined) {
      logger.warn("mTLS is disabled. Skipping certificate request and tls validation");
    }
    target.ready();
    return undefined;
  }
  const [{ openIdentity }, { SentryClient }, { fixedTrustAnchors }] = await Promise.all([
    import("../security/identity.ts"),
    import("../security/sentry-client.ts"),
    import("../security/trust-anchors.ts"),
  ]);
  const ports = { transport: deps.transport, clock: deps.clock, logger, observer: metrics?.mtls };
  const trustAnchors = fixedTrustAnchors(mtls.trustAnchors);
  const sentry = {
    address: mtls.sentryAddress,
    controlPlane: mtls.controlPlane,
    id: mtls.localIdentity === "" ? options.appId : mtls.localIdentity,
    namespace: namespaceOf(options),
    // The sentry knows what an app's is.
    trustDomain: "",
    tokenFile: mtls.tokenFile,
    jwtAudiences: mtls.jwtAudiences,
  };
  const source = new SentryClient(sentry, trustAnchors, ports);
  const identity = await openIdentity({ source, trustAnchors, controlPlane: mtls.controlPlane }, ports, signal);
  target.ready();
  return identity;
}
