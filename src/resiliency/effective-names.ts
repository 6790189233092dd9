import type { PolicyNames } from "./document.ts";
import type { PolicyTable } from "./policy-table.ts";
import type { ComponentPolicyType, FlowDirection } from "./types.ts";

/** The policies that count for one target, and what names them. */
export interface EffectiveNames {
  readonly names: PolicyNames;
  /** The target's path below `spec.targets`; undefined: no target names it, the policies are defaults by their names. */
  readonly target: readonly string[] | undefined;
}

const NO_NAMES: PolicyNames = { timeout: undefined, retry: undefined, circuitBreaker: undefined };

/** @param target as the caller writes it */
export function appNames(table: PolicyTable, target: string): EffectiveNames {
  const targeted = table.apps.get(target);
  return targeted === undefined
    ? { names: defaultNames(table, ["App"]), target: undefined }
    : { names: targeted.names, target: ["apps", target] };
}

/** A component that is a target in one direction has no defaults in the other either, as in Dapr. */
export function componentNames(
  table: PolicyTable,
  name: string,
  type: ComponentPolicyType,
  direction: FlowDirection,
): EffectiveNames {
  const targeted = table.components.get(name);
  if (targeted !== undefined) {
    return { names: targeted[direction] ?? NO_NAMES, target: ["components", name, direction] };
  }
  const side = direction === "outbound" ? "Outbound" : "Inbound";
  const levels = [`${type}Component${side}`, `Component${side}`, "Component"];
  return { names: defaultNames(table, levels), target: undefined };
}

/** Names by convention, the most specific one that exists; the last resort has no level in its name. */
export function defaultNames({ timeouts, retries, breakers }: PolicyTable, levels: readonly string[]): PolicyNames {
  const first = (defined: ReadonlyMap<string, unknown>, kind: string): string | undefined =>
    [...levels, ""].map((level) => `Default${level}${kind}Policy`).find((name) => defined.has(name));
  return {
    timeout: first(timeouts, "Timeout"),
    retry: first(retries, "Retry"),
    circuitBreaker: first(breakers, "CircuitBreaker"),
  };
}
