import { suggest } from "../../kit/distance.ts";
import { isBuiltInPolicy } from "../../resiliency/built-in-policies.ts";
import type { ResiliencyResource } from "../../resources/resiliency.ts";
import type { Examination } from "../examination.ts";
import type { Finding } from "../finding.ts";
import { checkAccess } from "./access.ts";
import { contradictions } from "./policy-contradictions.ts";
import { KINDS, KIND_NAMES, type Mention, mentionsOf } from "./policy-mentions.ts";

/** Policies that take effect by their names. */
const BY_CONVENTION = /^Default.*(?:Retry|Timeout|CircuitBreaker)Policy$/;

/** Resiliency policies and access control entries that say what cannot be, or what nobody hears. */
export async function checkPolicies(examination: Examination): Promise<readonly Finding[]> {
  const resources = examination.resources.flatMap((each) => (each.kind === "Resiliency" ? [each.resource] : []));
  const found = [
    ...unreadable(examination),
    ...(await targets(resources, examination)),
    ...(await unusedPolicies(resources, examination)),
    ...(await contradictions(examination)),
    ...(await saidTwice(examination)),
    ...(await checkAccess(examination)),
  ];
  return [...new Map(found.map((finding) => [`${finding.what}\n${finding.where ?? ""}`, finding])).values()];
}

/** What a sidecar would log about a resource that it leaves out. */
function unreadable({ apps }: Examination): readonly Finding[] {
  return apps.flatMap(({ warnings }) =>
    warnings
      .filter((text) => text.startsWith("Could not read resiliency policy") || text.startsWith("Attempted"))
      .map((what): Finding => ({
        severity: what.startsWith("Could") ? "error" : "warning",
        what,
        why: "the calls it is for have no policy, or another one than it says",
        fix: "correct what the text names",
      })),
  );
}

async function targets(
  resources: readonly ResiliencyResource[],
  examination: Examination,
): Promise<readonly Finding[]> {
  const { setUp, apps, resources: all, at } = examination;
  const appNames = [
    ...apps.map(({ appId }) => appId),
    ...all.flatMap((each) => (each.kind === "HTTPEndpoint" ? [each.resource.name] : [])),
  ];
  const componentNames = [
    ...all.flatMap((each) => (each.kind === "Component" ? [each.resource.name] : [])),
    ...setUp.givenComponents,
  ];
  const findings: Finding[] = [];
  for (const resource of resources) {
    for (const { path, names } of mentionsOf(resource)) {
      const [section = "", name = ""] = path;
      findings.push(...(await undefinedPolicies({ resource, path, names }, resources, examination)));
      const known =
        section === "apps"
          ? setUp.isWhole
            ? appNames
            : undefined
          : section === "components"
            ? componentNames
            : undefined;
      // Targets are app ids with or without a namespace, or URLs.
      if (
        known === undefined ||
        name.includes("://") ||
        known.includes(section === "apps" ? (name.split(".", 1)[0] ?? "") : name)
      ) {
        continue;
      }
      const near = suggest(name, known);
      findings.push({
        severity: "warning",
        what: `resiliency ${resource.name} is for the ${section === "apps" ? "app" : "component"} ${name}, which there is not`,
        where: await at(resource.origin, ["spec", "targets", section, name]),
        why: "its policies have no effect",
        fix: near === undefined ? `there are ${known.join(", ") || "none"}` : `did you mean ${near}?`,
      });
    }
  }
  return findings;
}

async function undefinedPolicies(
  { resource, path, names }: Mention,
  resources: readonly ResiliencyResource[],
  { at }: Examination,
): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  for (const kind of KIND_NAMES) {
    const name = names[kind] ?? "";
    const defined = resources.flatMap((each) => [...each[KINDS[kind].section].keys()]);
    if (name === "" || defined.includes(name) || (kind === "retry" && isBuiltInPolicy(name))) continue;
    const near = suggest(name, defined);
    findings.push({
      severity: "error",
      what: `resiliency ${resource.name} names the ${KINDS[kind].title} policy ${name} for ${path.slice(0, 2).join(" ")}, which there is not`,
      where: await at(resource.origin, ["spec", "targets", ...path, kind]),
      why: "calls of that target have no such policy",
      fix: near === undefined ? `define it under spec.policies.${KINDS[kind].section}` : `did you mean ${near}?`,
    });
  }
  return findings;
}

async function unusedPolicies(
  resources: readonly ResiliencyResource[],
  { at }: Examination,
): Promise<readonly Finding[]> {
  const mentioned = resources.flatMap(mentionsOf);
  const findings: Finding[] = [];
  for (const resource of resources) {
    for (const kind of KIND_NAMES) {
      const { title, section } = KINDS[kind];
      for (const name of resource[section].keys()) {
        const isUsed = mentioned.some(({ names }) => names[kind] === name);
        if (isUsed || BY_CONVENTION.test(name) || isBuiltInPolicy(name)) continue;
        findings.push({
          severity: "warning",
          what: `the ${title} policy ${name} of resiliency ${resource.name} is used by no target`,
          where: await at(resource.origin, ["spec", "policies", section, name]),
          why: "it has no effect; policies that apply without a target have names such as DefaultRetryPolicy",
          fix: "name it in a target, or take it out",
        });
      }
    }
  }
  return findings;
}

/** Of two resources with one name for a policy, or with one target, the one that is read later counts. */
async function saidTwice({ apps, at }: Examination): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  for (const { project } of apps) {
    const before = new Map<string, ResiliencyResource>();
    for (const resource of project?.resiliencies ?? []) {
      const paths = [
        ...KIND_NAMES.flatMap((kind) =>
          [...resource[KINDS[kind].section].keys()].map((name) => ["policies", KINDS[kind].section, name]),
        ),
        ...mentionsOf(resource).map(({ path }) => ["targets", ...path.slice(0, 2)]),
      ];
      for (const path of paths) {
        const first = before.get(path.join("/"));
        before.set(path.join("/"), resource);
        if (first === undefined || first === resource) continue;
        findings.push({
          severity: "warning",
          what: `resiliency ${resource.name} says ${path.join(" ")} again, which ${first.name} has said`,
          where: await at(resource.origin, ["spec", ...path]),
          why: "what was said first has no effect; files are read in the order of their names",
          fix: "say it once, or give each resource the scopes it is for",
        });
      }
    }
  }
  return findings;
}
