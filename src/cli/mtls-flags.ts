import { isSpiffeSegment } from "../kit/spiffe-id.ts";
import type { MtlsOptions } from "../sidecar/options.ts";
import type { ParsedFlags } from "./flag-set.ts";
import { RefusedError } from "./refused-error.ts";
import type { Environment } from "./environment.ts";
import type { SidecarFlag } from "./sidecar-flags.ts";
import { trustDomainFault } from "./trust-domain.ts";
import { namesAddress } from "./unbuilt-flags.ts";

/**
 * What a sidecar needs for its certificates, from daprd's flags and variables; undefined without `--enable-mtls`.
 *
 * @throws RefusedError for what is missing or can be no name in an identity
 */
export function mtlsOptions(flags: ParsedFlags<SidecarFlag>, env: Environment): MtlsOptions | undefined {
  const controlPlane = {
    trustDomain: flagOr(flags, "control-plane-trust-domain", env["DAPR_CONTROLPLANE_TRUST_DOMAIN"]),
    namespace: flagOr(flags, "control-plane-namespace", env["DAPR_CONTROLPLANE_NAMESPACE"]),
  };
  // Even where nobody uses it, as in Dapr.
  const fault = trustDomainFault(controlPlane.trustDomain);
  if (fault !== undefined) {
    throw new RefusedError(fault);
  }
  if (!flags.bool("enable-mtls")) {
    return undefined;
  }
  if (!isSpiffeSegment(controlPlane.namespace)) {
    throw new RefusedError(`failed to parse sentry SPIFFE ID: "${controlPlane.namespace}" is not a namespace`);
  }
  const trustAnchors = env["DAPR_TRUST_ANCHORS"] ?? "";
  if (trustAnchors === "") {
    throw new RefusedError("trust anchors are required");
  }
  const sentryAddress = flags.text("sentry-address").trim();
  if (!namesAddress(sentryAddress)) {
    throw new RefusedError("--enable-mtls needs the address of a sentry service: give it with --sentry-address");
  }
  return {
    sentryAddress,
    controlPlane,
    trustAnchors,
    jwtAudiences: flags.list("sentry-request-jwt-audiences"),
    localIdentity: env["SENTRY_LOCAL_IDENTITY"] ?? "",
    tokenFile: env["DAPR_SENTRY_TOKEN_FILE"],
  };
}

/** A variable stands in for the default of a flag, not for what was given. */
function flagOr(
  flags: ParsedFlags<SidecarFlag>,
  name: "control-plane-trust-domain" | "control-plane-namespace",
  variable: string | undefined,
): string {
  return flags.given(name) ? flags.text(name) : (variable ?? flags.text(name));
}
