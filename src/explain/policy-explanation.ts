import { formatGoDuration } from "../kit/duration.ts";
import { type BackoffRule, retryScheduleMs } from "../resiliency/backoff.ts";
import type { PolicyNames, RetryDocument } from "../resiliency/document.ts";
import type { EffectiveNames } from "../resiliency/effective-names.ts";
import type { BuiltInPolicyName } from "../resiliency/types.ts";
import type { ResiliencyResource } from "../resources/resiliency.ts";
import type { Explanation } from "./explanation.ts";
import type { Project } from "./project.ts";
import type { ValuePath } from "./value-places.ts";

/** Waits that are written out one by one; what follows is told in words. */
const WAITS_SHOWN = 6;

const KINDS = {
  timeout: { title: "timeout", section: "timeouts" },
  retry: { title: "retry", section: "retries" },
  circuitBreaker: { title: "circuit breaker", section: "circuitBreakers" },
} as const satisfies Record<keyof PolicyNames, { readonly title: string; readonly section: string }>;

type Kind = keyof typeof KINDS;

/** What the schedule is made of, as it was written. */
const RETRY_FIELDS = ["policy", "duration", "maxInterval", "maxRetries"] as const;

/** The timeout, retries and breaker of one target, each with what named it and where its values were written. */
export async function explainPolicies(
  project: Project,
  { names, target }: EffectiveNames,
): Promise<readonly Explanation[]> {
  const kinds: readonly Kind[] = ["timeout", "retry", "circuitBreaker"];
  return await Promise.all(kinds.map((kind) => explainKind(project, kind, names[kind] ?? "", target)));
}

async function explainKind(
  project: Project,
  kind: Kind,
  name: string,
  target: ValuePath | undefined,
): Promise<Explanation> {
  const { title, section } = KINDS[kind];
  if (name === "") {
    return { text: `${title}: none` };
  }
  const named = target === undefined ? "a default by its name" : await placeOfTarget(project, [...target, kind]);
  const resource = project.resiliencies.findLast((each) => each[section].has(name));
  if (resource === undefined) {
    return { text: `${title}: none, since there is no policy ${name}`, from: named };
  }
  const values = await valuesOf(project, resource, ["spec", "policies", section, name], kind, name);
  return {
    text: `${title}: ${name}`,
    from: named,
    below: values,
  };
}

async function valuesOf(
  { places, policies }: Project,
  { origin, retries, circuitBreakers }: ResiliencyResource,
  path: ValuePath,
  kind: Kind,
  name: string,
): Promise<readonly Explanation[]> {
  const at = (...steps: ValuePath): Promise<string> => places.of(origin, [...path, ...steps]);
  switch (kind) {
    case "timeout": {
      const ms = policies.timeouts.get(name);
      const text = ms === undefined ? "no limit" : `${formatGoDuration(ms)} for each attempt`;
      return [{ text, from: await at() }];
    }
    case "retry": {
      const rule = policies.retries.get(name);
      const written = retries.get(name);
      const { httpStatusCodes = "", gRPCStatusCodes = "" } = written?.matching ?? {};
      return [
        ...(rule === undefined ? [] : explainBackoff(rule.backoff, await at())),
        ...(await writtenValues(written, at)),
        ...(httpStatusCodes === ""
          ? []
          : [{ text: `only HTTP status ${httpStatusCodes}`, from: await at("matching", "httpStatusCodes") }]),
        ...(gRPCStatusCodes === ""
          ? []
          : [{ text: `only gRPC status ${gRPCStatusCodes}`, from: await at("matching", "gRPCStatusCodes") }]),
      ];
    }
    case "circuitBreaker": {
      const rule = policies.breakers.get(name);
      const written = circuitBreakers.get(name);
      const trip = written?.trip ?? "";
      return [
        {
          text: `opens when ${trip === "" ? "consecutiveFailures > 5" : trip}`,
          from: trip === "" ? "default" : await at("trip"),
        },
        {
          text: `open for ${formatGoDuration(rule?.timeoutMs ?? 0)}, then lets ${rule?.requestsMax ?? 1} at a time through`,
          from: await at("timeout"),
        },
        ...(rule === undefined || rule.intervalMs === 0
          ? []
          : [{ text: `counts start over every ${formatGoDuration(rule.intervalMs)}`, from: await at("interval") }]),
      ];
    }
  }
}

async function writtenValues(
  written: RetryDocument | undefined,
  at: (...steps: ValuePath) => Promise<string>,
): Promise<readonly Explanation[]> {
  const explained = RETRY_FIELDS.map(async (field): Promise<readonly Explanation[]> => {
    const value = written?.[field];
    return value === undefined ? [] : [{ text: `${field}: ${value}`, from: await at(field) }];
  });
  return (await Promise.all(explained)).flat();
}

/** Retries that the runtime does without being asked, as they are or as a resource has overridden them. */
export async function explainBuiltIn(project: Project, name: BuiltInPolicyName): Promise<readonly Explanation[]> {
  const rule = project.policies.retries.get(name);
  const resource = project.resiliencies.findLast((each) => each.retries.has(name));
  const from =
    resource === undefined
      ? "built in"
      : await project.places.of(resource.origin, ["spec", "policies", "retries", name]);
  return rule === undefined ? [] : explainBackoff(rule.backoff, from);
}

/** When attempts are made, if each of them fails at once. */
function explainBackoff(rule: BackoffRule, from: string): readonly Explanation[] {
  const { retriesMax } = rule;
  if (retriesMax === 0) {
    return [{ text: "one attempt, no retry", from }];
  }
  const waits = retryScheduleMs(rule, WAITS_SHOWN);
  const more = retriesMax === undefined || retriesMax > waits.length;
  const attempts = retriesMax === undefined ? "again and again, without end" : `${retriesMax + 1} attempts at most`;
  const listed = `${waits.map((ms) => formatGoDuration(ms)).join(", ")}${more ? ", …" : ""}`;
  const spread =
    rule.policy === "exponential" && rule.randomizationFactor > 0
      ? `, each up to ${rule.randomizationFactor * 100} % shorter or longer, none above ${formatGoDuration(rule.intervalMaxMs)} before that`
      : "";
  const end =
    rule.policy === "exponential" && rule.elapsedMaxMs > 0
      ? [{ text: `gives up ${formatGoDuration(rule.elapsedMaxMs)} after the first attempt began` }]
      : [];
  return [{ text: attempts, from }, { text: `waits between them: ${listed}${spread}` }, ...end];
}

/** Of two resources with the same target the later one counts. */
async function placeOfTarget({ resiliencies, places }: Project, path: ValuePath): Promise<string> {
  const [section, name] = path as readonly string[];
  const resource = resiliencies.findLast(({ targets }) =>
    section === "apps" ? targets.apps.has(name ?? "") : targets.components.has(name ?? ""),
  );
  return resource === undefined ? "" : await places.of(resource.origin, ["spec", "targets", ...path]);
}
