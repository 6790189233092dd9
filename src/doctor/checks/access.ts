import { suggest } from "../../kit/distance.ts";
import { checkAccessControl, InvalidAccessControlError } from "../../security/access-control/check-access-control.ts";
import type { ExaminedApp, Examination } from "../examination.ts";
import type { Finding } from "../finding.ts";

/** What `spec.accessControl` of each app says that cannot be, or that nobody hears. */
export async function checkAccess(examination: Examination): Promise<readonly Finding[]> {
  const found = await Promise.all(examination.apps.map(async (app) => await accessFindings(app, examination)));
  return found.flat();
}

async function accessFindings(
  { appId, project, options }: ExaminedApp,
  { setUp, apps, at }: Examination,
): Promise<readonly Finding[]> {
  if (project === undefined) {
    return [];
  }
  const { accessControl } = project.configuration;
  const { policies, defaultAction } = accessControl;
  const ids = apps.map((app) => app.appId);
  const findings: Finding[] = [];
  try {
    for (const { origin, text } of checkAccessControl(accessControl, !options.appProtocol.startsWith("grpc"))) {
      findings.push({
        severity: "warning",
        app: appId,
        what: text,
        where: await at(origin),
        why: "calls are let in or kept out other than it seems to say",
        fix: "`outrigger explain call` says what becomes of a call; docs/guides/access-control.md has the rules",
      });
    }
  } catch (error) {
    if (!(error instanceof InvalidAccessControlError)) throw error;
    const why = "its sidecar ends at its start";
    findings.push({ severity: "error", app: appId, what: error.message, why, fix: "write what is missing" });
  }
  const [first] = policies;
  if (first !== undefined && options.mtls === undefined) {
    findings.push({
      severity: "error",
      app: appId,
      what: `access control has ${policies.length} policies for callers, and its sidecar runs without mTLS`,
      where: await at(first.origin),
      why: `without mTLS no caller has an identity: ${defaultAction === "deny" ? "all of them are denied" : "the policies have no effect"}`,
      fix: "start the sidecars with --enable-mtls and a sentry",
    });
  }
  for (const policy of setUp.isWhole ? policies : []) {
    if (ids.includes(policy.appId)) continue;
    const near = suggest(policy.appId, ids);
    findings.push({
      severity: "warning",
      app: appId,
      what: `access control has a policy for the app ${policy.appId}, which there is not`,
      where: await at(policy.origin),
      why: "it has no effect; callers without a policy get the default action",
      fix: near === undefined ? `the apps are ${ids.join(", ")}` : `did you mean ${near}?`,
    });
  }
  return findings;
}
