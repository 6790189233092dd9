import { OUTRIGGER_VERSION } from "../../kit/release.ts";
import { RUNTIME_VERSION } from "../../sidecar/version.ts";
import type { Examination } from "../examination.ts";
import type { Finding } from "../finding.ts";
import type { ProgramRelease } from "../releases.ts";

/** The least major version of Node that the program runs on. */
const NODE_MAJOR_MIN = 24;

/** Node, and that sidecars, placement and scheduler are of one release, which is the doctor's. */
export async function checkVersions({ world, releases }: Examination): Promise<readonly Finding[]> {
  const programs = await releases();
  return [...ofNode(world.nodeVersion), ...ofRuntimes(programs), ...ofReleases(programs)];
}

/** What each program says of itself, and of which nothing is known, why. */
export async function noteReleases({ releases }: Examination): Promise<readonly string[]> {
  return (await releases()).map(({ program, release, runtime, unknown }) => {
    if (release !== undefined) {
      return `${program} is Outrigger ${release}${runtime === undefined ? "" : `, compatible with Dapr ${runtime}`}`;
    }
    return runtime === undefined ? `${program}: release unknown, since ${unknown}` : `${program} is Dapr ${runtime}`;
  });
}

function ofNode(version: string): readonly Finding[] {
  return Number.parseInt(version, 10) >= NODE_MAJOR_MIN
    ? []
    : [
        {
          severity: "error",
          what: `this is Node ${version}`,
          why: `the runtime needs Node ${NODE_MAJOR_MIN} or later`,
          fix: "install a newer Node, or use the single executable, which has its own",
        },
      ];
}

/** Releases of Dapr that sidecars are, or are compatible with. */
function ofRuntimes(programs: readonly ProgramRelease[]): readonly Finding[] {
  const known = Map.groupBy(
    programs.filter(({ runtime }) => runtime !== undefined),
    ({ runtime }) => runtime ?? "",
  );
  const findings: Finding[] = [];
  if (known.size > 1) {
    const each = [...known].map(([version, group]) => `${version} (${namesOf(group)})`);
    findings.push({
      severity: "warning",
      what: `sidecars are of ${known.size} releases: ${each.join("; ")}`,
      why: "what they do is only the same within one release",
      fix: "bring all of them to one release; for the time of an update it may stay",
    });
  }
  for (const [version, group] of known) {
    if (majorMinor(version) !== majorMinor(RUNTIME_VERSION)) {
      findings.push({
        severity: "warning",
        what: `${namesOf(group)} runs ${version}; this program is compatible with ${RUNTIME_VERSION}`,
        why: "the doctor knows resources and errors of its own release only",
        fix: "use the doctor of the release that runs",
      });
    }
  }
  return findings;
}

/** Releases of Outrigger. */
function ofReleases(programs: readonly ProgramRelease[]): readonly Finding[] {
  const others = Map.groupBy(
    programs.filter(({ release }) => release !== undefined && release !== OUTRIGGER_VERSION),
    ({ release }) => release ?? "",
  );
  return [...others].map(([release, group]) => ({
    severity: "warning",
    what: `${namesOf(group)}: Outrigger ${release}; this doctor is ${OUTRIGGER_VERSION}`,
    why: "the doctor knows resources, flags and errors of its own release only, and releases are tested with themselves",
    fix: "use the doctor of the release that runs, or bring all to one; for the time of an update it may stay",
  }));
}

function namesOf(group: readonly ProgramRelease[]): string {
  return group.map(({ program }) => program.replace(/^the sidecar /, "")).join(", ");
}

function majorMinor(version: string): string {
  return version.split(".").slice(0, 2).join(".");
}
