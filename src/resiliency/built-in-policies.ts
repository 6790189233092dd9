import type { BackoffRule } from "./backoff.ts";
import type { RetryRule } from "./compiled-policy.ts";
import { ANY_STATUS } from "./status-match.ts";
import type { BuiltInPolicyName } from "./types.ts";

const SECOND_MS = 1_000;

const BACKOFFS: Readonly<Record<BuiltInPolicyName, BackoffRule>> = {
  DaprBuiltInServiceRetries: { policy: "constant", intervalMs: SECOND_MS, retriesMax: 3 },
  DaprBuiltInActorRetries: { policy: "constant", intervalMs: SECOND_MS, retriesMax: 3 },
  // Dapr's has intervals and no retries, so that it does nothing until somebody overrides it.
  DaprBuiltInActorReminderRetries: {
    policy: "exponential",
    initialIntervalMs: SECOND_MS / 2,
    multiplier: 1.5,
    randomizationFactor: 0.5,
    intervalMaxMs: 60 * SECOND_MS,
    elapsedMaxMs: 15 * 60 * SECOND_MS,
    retriesMax: 0,
  },
  DaprBuiltInActorNotFoundRetries: { policy: "constant", intervalMs: SECOND_MS, retriesMax: 5 },
  DaprBuiltInInitializationRetries: {
    policy: "exponential",
    initialIntervalMs: SECOND_MS / 2,
    multiplier: 1.5,
    randomizationFactor: 0.5,
    intervalMaxMs: SECOND_MS,
    elapsedMaxMs: 10 * SECOND_MS,
    retriesMax: 3,
  },
};

/** Retries below which an override of a built-in policy is lifted to this many. */
export const BUILT_IN_RETRIES_MIN = 3;

/** The one that resources cannot override. */
export const PROTECTED_POLICY: BuiltInPolicyName = "DaprBuiltInActorNotFoundRetries";

export function isBuiltInPolicy(name: string): name is BuiltInPolicyName {
  return Object.hasOwn(BACKOFFS, name);
}

/** The retries that Dapr does without being asked, by name. */
export function builtInPolicies(): Map<string, RetryRule> {
  return new Map(Object.entries(BACKOFFS).map(([name, backoff]) => [name, { backoff, match: ANY_STATUS }]));
}
