import type { WorkloadIdentity } from "../../security/identity.ts";
import type { ControlPlaneService } from "../../security/peer-options.ts";
import type { RoleContext } from "./types.ts";

/** How a role comes to its certificates. */
export interface RoleTls {
  /** host:port of the certificate authority. */
  readonly sentryAddress: string;
  /** Of the control plane, which are the role's own. */
  readonly trustDomain: string;
  readonly namespace: string;
  /** PEM; may come later than the role, and change. */
  readonly trustAnchorsFile: string;
  /** What is asked for in place of the role's name (`SENTRY_LOCAL_IDENTITY`); empty: the name. */
  readonly localIdentity: string;
  /** `DAPR_SENTRY_TOKEN_FILE`; undefined: it is not set. */
  readonly tokenFile: string | undefined;
  /** Where key, certificates and trust anchors are written for other programs; undefined: nowhere. */
  readonly folder?: string | undefined;
}

/**
 * Gets a role its identity before it opens anything. Waits for the file of trust anchors and for the sentry as long as it
 * takes. Undefined for a role without mutual TLS.
 *
 * @throws Error for trust anchors that are none, and when the sentry refuses; the reason to stop
 */
export async function openRoleIdentity(
  tls: RoleTls | undefined,
  appId: ControlPlaneService,
  context: RoleContext,
): Promise<WorkloadIdentity | undefined> {
  const logger = context.logger.scope("dapr.runtime.security");
  const target = context.addHealthTarget("security-provider");
  if (tls === undefined) {
    logger.warn("mTLS is disabled. Skipping certificate request and tls validation");
    target.ready();
    return undefined;
  }
  const [{ openIdentity }, { SentryClient }, { fileTrustAnchors }, { IdentityFolder }] = await Promise.all([
    import("../../security/identity.ts"),
    import("../../security/sentry-client.ts"),
    import("../../security/trust-anchors.ts"),
    import("../../security/identity-folder.ts"),
  ]);
  const { clock, transport, stopping } = context;
  const { trustDomain, namespace, localIdentity, folder } = tls;
  const ports = { clock, transport, logger };
  const trustAnchors = await fileTrustAnchors({ path: tls.trustAnchorsFile, clock, logger, signal: stopping });
  const controlPlane = { trustDomain, namespace };
  const id = localIdentity === "" ? appId : localIdentity;
  const { sentryAddress: address, tokenFile } = tls;
  const sentry = { address, controlPlane, id, namespace, trustDomain, tokenFile, jwtAudiences: [] };
  const source = new SentryClient(sentry, trustAnchors, ports);
  const written = folder === undefined ? undefined : new IdentityFolder(folder, clock, logger);
  const publish = written?.write.bind(written);
  try {
    const identity = await openIdentity({ source, trustAnchors, controlPlane, publish }, ports, stopping);
    target.ready();
    return identity;
  } catch (error) {
    trustAnchors.close();
    throw error;
  }
}
