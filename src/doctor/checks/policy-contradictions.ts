import { formatGoDuration } from "../../kit/duration.ts";
import type { BreakerRule } from "../../resiliency/circuit-breaker.ts";
import type { PolicyTable } from "../../resiliency/policy-table.ts";
import type { StatusMatch } from "../../resiliency/status-match.ts";
import { componentsOf } from "../components-of.ts";
import type { Examination } from "../examination.ts";
import type { Finding } from "../finding.ts";
import { type Kind, type Mention, mentionsOf } from "./policy-mentions.ts";

/** Answers of HTTP apps that no policy takes for failures. */
const HTTP_GOOD = { first: 200, last: 399 };
const GRPC_OK = 0;

/** Types of components that call their app: policies for what comes in are theirs. */
const CALLERS = ["pubsub.", "bindings."];
/** Types of components that nobody calls under a policy. */
const UNCALLED = ["middleware.", "nameresolution."];

/** Failures in a row with which a breaker is asked whether it opens. */
const TRIAL_FAILURES = [1, 2, 3, 5, 10, 20, 50, 100, 1_000, 1_000_000];

/** Policies of one target that keep each other, or themselves, from what they are for. */
export async function contradictions(examination: Examination): Promise<readonly Finding[]> {
  const found = await Promise.all(
    examination.apps.flatMap(({ project }) =>
      project === undefined
        ? []
        : project.resiliencies
            .flatMap(mentionsOf)
            .map(async (mention) => await contradictionsOf(mention, project.policies, examination)),
    ),
  );
  return found.flat();
}

async function contradictionsOf(
  mention: Mention,
  policies: PolicyTable,
  examination: Examination,
): Promise<readonly Finding[]> {
  const { resource, path } = mention;
  const faults = [
    ...breakerFaults(mention, policies),
    ...retryFaults(mention, policies),
    ...uncalledFaults(mention, examination),
  ];
  return await Promise.all(
    faults.map(async ({ kind, what, why, fix }): Promise<Finding> => ({
      severity: "warning",
      what: `for ${path.slice(0, 2).join(" ")}, ${what}`,
      where: await examination.at(resource.origin, ["spec", "targets", ...path, ...(kind === undefined ? [] : [kind])]),
      why,
      fix,
    })),
  );
}

interface Fault extends Pick<Finding, "what" | "why" | "fix"> {
  /** Whose mention it is about; absent: the target. */
  readonly kind?: Kind;
}

function breakerFaults({ names }: Mention, policies: PolicyTable): readonly Fault[] {
  const timeoutMs = policies.timeouts.get(names.timeout ?? "");
  const breaker = policies.breakers.get(names.circuitBreaker ?? "");
  const faults: Fault[] = [];
  if (timeoutMs !== undefined && breaker !== undefined && breaker.intervalMs > 0 && breaker.intervalMs <= timeoutMs) {
    faults.push({
      kind: "circuitBreaker",
      what: `the circuit breaker ${names.circuitBreaker} forgets its counts every ${formatGoDuration(breaker.intervalMs)}, and the timeout ${names.timeout} ends a call after ${formatGoDuration(timeoutMs)}`,
      why: "calls that run into the timeout are forgotten before they can add up: the breaker never opens for them",
      fix: "make the breaker's interval several times the timeout, or leave it out",
    });
  }
  if (breaker !== undefined && !canOpen(breaker)) {
    faults.push({
      kind: "circuitBreaker",
      what: `the circuit breaker ${names.circuitBreaker} does not open however many calls fail in a row`,
      why: "its `trip` is false, or cannot be evaluated, with every count of failures",
      fix: "write it with requests, totalFailures and consecutiveFailures, such as consecutiveFailures > 5",
    });
  }
  return faults;
}

/** With nothing but failures: an expression that wants successes too has its reasons, and opens none the less. */
function canOpen({ trip }: BreakerRule): boolean {
  return (
    trip === undefined ||
    TRIAL_FAILURES.some((failures) => {
      const count = BigInt(failures);
      const counts = { requests: count, totalFailures: count, consecutiveFailures: count };
      try {
        return trip({ ...counts, totalSuccesses: 0n, consecutiveSuccesses: 0n }) === true;
      } catch {
        return false;
      }
    })
  );
}

function retryFaults({ names, path }: Mention, policies: PolicyTable): readonly Fault[] {
  const retry = policies.retries.get(names.retry ?? "");
  if (retry === undefined) {
    return [];
  }
  if (retry.backoff.retriesMax === 0) {
    const why = "maxRetries is 0, which is no retry at all; without it, or with -1, there is no end to them";
    return [
      { kind: "retry", what: `the retry ${names.retry} repeats nothing`, why, fix: "write how many, or take it out" },
    ];
  }
  // Errors of components have no status, and are repeated whatever it says.
  const useless = path[0] === "components" ? undefined : uselessMatch(retry.match);
  return useless === undefined
    ? []
    : [
        {
          kind: "retry",
          what: `the retry ${names.retry} matches no failure ${useless}`,
          why: "what is answered with other codes is not repeated",
          fix: "name codes of failures, such as httpStatusCodes: 429,500-599 and gRPCStatusCodes: 4,14",
        },
      ];
}

/** The protocol of whose statuses none that is named is a failure. */
function uselessMatch({ http, grpc }: StatusMatch): string | undefined {
  if (http?.every(({ first, last }) => first >= HTTP_GOOD.first && last <= HTTP_GOOD.last) === true) {
    return "over HTTP: answers from 200 to 399 are none";
  }
  return grpc?.every(({ last }) => last === GRPC_OK) === true ? "over gRPC: the status 0 is none" : undefined;
}

/** Policies for calls that there are not. */
function uncalledFaults({ path, names }: Mention, { resources }: Examination): readonly Fault[] {
  const [section, name, direction] = path;
  const type = componentsOf(resources).find((each) => each.name === name)?.type;
  const hasPolicies = Object.values(names).some((policy: string | undefined) => (policy ?? "") !== "");
  if (section !== "components" || type === undefined || !hasPolicies) {
    return [];
  }
  const begins = (prefixes: readonly string[]): boolean => prefixes.some((prefix) => type.startsWith(prefix));
  if (begins(UNCALLED) || (direction === "inbound" && !begins(CALLERS))) {
    const what = `there are ${direction} policies, and a component of the type ${type} has no ${direction} calls`;
    const why = "they have no effect";
    return [{ what, why, fix: direction === "inbound" ? "say outbound, or take them out" : "take them out" }];
  }
  return [];
}
