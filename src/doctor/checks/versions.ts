import { RUNTIME_VERSION } from "../../sidecar/version.ts";
import type { Examination } from "../examination.ts";
import type { Finding } from "../finding.ts";
import { metadataOf } from "../sidecar-answers.ts";

/** The least major version of Node that the program runs on. */
const NODE_MAJOR_MIN = 24;

/** Node, and that all sidecars are of one release. */
export async function checkVersions({ setUp, world }: Examination): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  if (Number.parseInt(world.nodeVersion, 10) < NODE_MAJOR_MIN) {
    findings.push({
      severity: "error",
      what: `this is Node ${world.nodeVersion}`,
      why: `the runtime needs Node ${NODE_MAJOR_MIN} or later`,
      fix: "install a newer Node, or use the single executable, which has its own",
    });
  }
  const seen = new Map<string, string[]>();
  for (const { name, address } of setUp.sidecars) {
    const version = (await metadataOf(world, address))?.runtimeVersion;
    if (version === undefined) continue;
    seen.set(version, [...(seen.get(version) ?? []), name]);
  }
  if (seen.size > 1) {
    findings.push({
      severity: "warning",
      what: `sidecars are of ${seen.size} releases: ${[...seen].map(([version, names]) => `${version} (${names.join(", ")})`).join("; ")}`,
      why: "what they do is only the same within one release",
      fix: "bring all of them to one release; for the time of an update it may stay",
    });
  }
  for (const [version, names] of seen) {
    if (majorMinor(version) === majorMinor(RUNTIME_VERSION)) continue;
    findings.push({
      severity: "warning",
      what: `${names.join(", ")} runs ${version}; this program is compatible with ${RUNTIME_VERSION}`,
      why: "the doctor knows resources and errors of its own release only",
      fix: "use the doctor of the release that runs",
    });
  }
  return findings;
}

function majorMinor(version: string): string {
  return version.split(".").slice(0, 2).join(".");
}
