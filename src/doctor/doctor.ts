import { errorMessage } from "../kit/error-message.ts";
import { sleep } from "../kit/clock.ts";
import { checkCertificates } from "./checks/certificates.ts";
import { checkClocks } from "./checks/clocks.ts";
import { checkConnections } from "./checks/connections.ts";
import { checkIdentityFiles } from "./checks/identity-files.ts";
import { checkLimits } from "./checks/limits.ts";
import { checkNames } from "./checks/names.ts";
import { checkPolicies } from "./checks/policies.ts";
import { checkPorts } from "./checks/ports.ts";
import { checkReachability } from "./checks/reachability.ts";
import { checkResources } from "./checks/resources.ts";
import { checkRunning } from "./checks/running.ts";
import { checkScopes } from "./checks/scopes.ts";
import { checkSecrets } from "./checks/secrets.ts";
import { checkVersions, noteReleases } from "./checks/versions.ts";
import { type Examination, examine } from "./examination.ts";
import type { CheckResult, Finding } from "./finding.ts";
import type { SetUp } from "./set-up.ts";
import type { DoctorWorld } from "./world.ts";

/** What is wrong with one side of a set-up; each is independent of the others. */
export type Check = (examination: Examination) => Promise<readonly Finding[]>;

interface NamedCheck {
  readonly name: string;
  readonly subject: string;
  readonly run: Check;
  /** Whether there is anything to look at; absent: always. */
  readonly applies?: (examination: Examination) => boolean;
  /** What was seen. */
  readonly notes?: (examination: Examination) => Promise<readonly string[]>;
}

const hasApps = ({ apps }: Examination): boolean => apps.length > 0;
const hasSidecars = ({ setUp }: Examination): boolean => setUp.sidecars.length > 0;
const hasCertificates = ({ apps, resources }: Examination): boolean =>
  apps.some(({ options }) => options.mtls !== undefined) ||
  resources.some((each) => each.kind === "HTTPEndpoint" && each.resource.clientTls !== undefined);

/** In the order in which they are told. */
export const CHECKS: readonly NamedCheck[] = [
  { name: "ports", subject: "ports are free, and nobody wants one twice", run: checkPorts, applies: hasApps },
  {
    name: "resources",
    subject: "files can be read; kinds, fields, types and metadata are known",
    run: checkResources,
    applies: hasApps,
  },
  {
    name: "scopes",
    subject: "names of apps, components and brokers that refer to each other",
    run: checkScopes,
    applies: hasApps,
  },
  {
    name: "secrets",
    subject: "secrets and environment variables that components refer to",
    run: checkSecrets,
    applies: hasApps,
  },
  { name: "policies", subject: "resiliency policies and access control", run: checkPolicies, applies: hasApps },
  {
    name: "versions",
    subject: "Node, and the releases of sidecars and control plane",
    run: checkVersions,
    notes: noteReleases,
  },
  { name: "clocks", subject: "clocks of the sidecars against this one", run: checkClocks, applies: hasSidecars },
  {
    name: "reachability",
    subject: "control plane, brokers, stores and endpoints",
    run: checkReachability,
    applies: hasApps,
  },
  {
    name: "connections",
    subject: "brokers and stores let the sidecars in, where trying it changes nothing",
    run: checkConnections,
    applies: (examination) => hasApps(examination) && !examination.setUp.isUp,
  },
  { name: "names", subject: "how apps find each other", run: checkNames, applies: hasApps },
  {
    name: "certificates",
    subject: "trust anchors, the certificate authority, and certificates for endpoints",
    run: checkCertificates,
    applies: hasCertificates,
  },
  {
    name: "files",
    subject: "tokens for sentry, and what tracing is secured with",
    run: checkIdentityFiles,
    applies: hasApps,
  },
  { name: "limits", subject: "open files, and room on the disk", run: checkLimits },
  {
    name: "running",
    subject: "health, components, subscriptions and reloads of sidecars that run",
    run: checkRunning,
    applies: hasSidecars,
  },
];

/**
 * Looks at a set-up from all sides. Writes nothing, starts nothing, and ends in time: a check that does not is told as an
 * error.
 * @param timeoutMs for each check; they run side by side
 */
export async function diagnose(setUp: SetUp, world: DoctorWorld, timeoutMs: number): Promise<readonly CheckResult[]> {
  const examination = await examine(setUp, world);
  return await Promise.all(
    CHECKS.map(async (check) => {
      const { name, subject, applies } = check;
      if (applies?.(examination) === false) {
        return { name, subject, isSkipped: true, findings: [] };
      }
      const { findings, notes } = await inTime(check, examination, timeoutMs);
      const checked = findings.map((finding) => ({ check: name, ...finding }));
      return { name, subject, isSkipped: false, findings: checked, notes };
    }),
  );
}

/** What a check has come to. */
interface Outcome {
  readonly findings: readonly Finding[];
  readonly notes: readonly string[];
}

async function inTime(check: NamedCheck, examination: Examination, timeoutMs: number): Promise<Outcome> {
  const { name, run, notes } = check;
  const over = new AbortController();
  const late = sleep(examination.world.clock, timeoutMs, over.signal).then(() => {
    throw new Error(`it took longer than ${timeoutMs} ms`);
  });
  late.catch(() => undefined);
  const look = async (): Promise<Outcome> => ({
    findings: await run(examination),
    notes: (await notes?.(examination)) ?? [],
  });
  try {
    return await Promise.race([look(), late]);
  } catch (error) {
    const finding = {
      severity: "error",
      what: `the check of ${name} could not be ended: ${errorMessage(error)}`,
      why: "what it looks at is not known to be well",
      fix: "raise --timeout; where that does not help, this is a fault of the doctor",
    } as const;
    return { findings: [finding], notes: [] };
  } finally {
    over.abort(new Error("the check is over"));
  }
}
