import type { PolicyNames } from "../../resiliency/document.ts";
import type { ResiliencyResource } from "../../resources/resiliency.ts";

/** What policies of each kind are called, and where they are defined. */
export const KINDS = {
  timeout: { title: "timeout", section: "timeouts" },
  retry: { title: "retry", section: "retries" },
  circuitBreaker: { title: "circuit breaker", section: "circuitBreakers" },
} as const;
export type Kind = keyof typeof KINDS;
export const KIND_NAMES = ["timeout", "retry", "circuitBreaker"] as const;

/** One mention of policies: a target of a resource. */
export interface Mention {
  readonly resource: ResiliencyResource;
  readonly path: readonly string[];
  readonly names: PolicyNames;
}

/** All targets of a resource. */
export function mentionsOf(resource: ResiliencyResource): readonly Mention[] {
  const { apps, actors, components } = resource.targets;
  return [
    ...[...apps].map(([name, names]) => ({ resource, path: ["apps", name], names: namesOf(names) })),
    ...[...actors].map(([name, names]) => ({ resource, path: ["actors", name], names: namesOf(names) })),
    ...[...components].flatMap(([name, directions]) =>
      (["inbound", "outbound"] as const).flatMap((direction) => {
        const names = directions[direction];
        return names === undefined ? [] : [{ resource, path: ["components", name, direction], names: namesOf(names) }];
      }),
    ),
  ];
}

function namesOf({ timeout, retry, circuitBreaker }: PolicyNames): PolicyNames {
  return { timeout, retry, circuitBreaker };
}
