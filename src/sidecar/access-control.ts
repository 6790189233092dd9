import { AccessCheck } from "../blocks/invocation/access-check.ts";
import type { Logger } from "../kit/logger.ts";
import type { Configuration } from "../resources/configuration.ts";
import { AccessControlList } from "../security/access-control/access-control-list.ts";
import { checkAccessControl } from "../security/access-control/check-access-control.ts";
import type { RuntimeMetrics } from "../telemetry/metrics/runtime-metrics.ts";
import type { SidecarOptions } from "./options.ts";

/**
 * What calls of the app are held against; undefined where all may do everything and nobody counts them. What is written
 * and does not do what it seems to is told in the log.
 *
 * @throws InvalidAccessControlError
 */
export function createAccessCheck(
  { accessControl, sections }: Configuration,
  { appProtocol }: Pick<SidecarOptions, "appProtocol">,
  metrics: RuntimeMetrics | undefined,
  logger: Logger,
): AccessCheck | undefined {
  const isHttp = appProtocol !== "grpc" && appProtocol !== "grpcs";
  const log = logger.scope("dapr.acl");
  for (const { origin, text } of checkAccessControl(accessControl, isHttp)) {
    log.warn(`${origin.file}:${origin.line}: ${text}`);
  }
  if (accessControl.defaultAction === "") {
    log.warn("No global default action has been specified. Setting default global action as Deny");
  }
  const list = new AccessControlList(accessControl, isHttp, sections.get("accessControl"));
  const allowsAll = list.isUniform && list.check(undefined, "/", "GET").allowed;
  return allowsAll && metrics === undefined ? undefined : new AccessCheck({ list, metrics: metrics?.accessControl });
}
