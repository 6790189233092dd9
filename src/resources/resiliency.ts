import { objectFields, toResource } from "./object.ts";
import type { Resource } from "./resource.ts";
import { dictionary, integer, struct, text } from "./shape.ts";
import type { Shape, StructOf } from "./shape.ts";

const retry = {
  policy: text,
  duration: text,
  maxInterval: text,
  maxRetries: integer,
  matching: struct({ httpStatusCodes: text, gRPCStatusCodes: text }),
} as const;
const circuitBreaker = { maxRequests: integer, interval: text, timeout: text, trip: text } as const;
const policyNames = { timeout: text, retry: text, circuitBreaker: text } as const;
const appPolicyNames = { ...policyNames, circuitBreakerCacheSize: integer } as const;
const actorPolicyNames = { ...appPolicyNames, circuitBreakerScope: text } as const;
const componentPolicyNames = { inbound: struct(policyNames), outbound: struct(policyNames) } as const;

/**
 * `kind: Resiliency` as written (compatibility.md 4.4): durations, codes and expressions are still text and policy names
 * are not looked up, since Dapr complains about those one policy at a time.
 */
export interface ResiliencyResource extends Resource {
  readonly timeouts: ReadonlyMap<string, string>;
  readonly retries: ReadonlyMap<string, StructOf<typeof retry>>;
  readonly circuitBreakers: ReadonlyMap<string, StructOf<typeof circuitBreaker>>;
  readonly targets: {
    readonly apps: ReadonlyMap<string, StructOf<typeof appPolicyNames>>;
    readonly actors: ReadonlyMap<string, StructOf<typeof actorPolicyNames>>;
    readonly components: ReadonlyMap<string, StructOf<typeof componentPolicyNames>>;
  };
}

const shape = struct({
  ...objectFields,
  spec: struct({
    policies: struct({
      timeouts: dictionary(text),
      retries: dictionary(struct(retry)),
      circuitBreakers: dictionary(struct(circuitBreaker)),
    }),
    targets: struct({
      apps: dictionary(struct(appPolicyNames)),
      actors: dictionary(struct(actorPolicyNames)),
      components: dictionary(struct(componentPolicyNames)),
    }),
  }),
});

export const resiliency: Shape<ResiliencyResource> = (node, reading, path) => {
  const written = shape(node, reading, path);
  const { policies, targets } = written.spec ?? {};
  return {
    ...toResource(written, node),
    timeouts: policies?.timeouts ?? new Map(),
    retries: policies?.retries ?? new Map(),
    circuitBreakers: policies?.circuitBreakers ?? new Map(),
    targets: {
      apps: targets?.apps ?? new Map(),
      actors: targets?.actors ?? new Map(),
      components: targets?.components ?? new Map(),
    },
  };
};
