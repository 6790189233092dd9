import { boolean, dictionary, duration, integer, json, list, struct, text } from "./shape.ts";

const metric = struct({
  enabled: boolean,
  recordErrorCodes: boolean,
  http: struct({ increasedCardinality: boolean, pathMatching: list(text), excludeVerbs: boolean }),
  rules: list(struct({ name: text, labels: list(struct({ name: text, regex: dictionary(text) })) })),
  latencyDistributionBuckets: list(integer),
  workflow: struct({ latencyDistributionBuckets: list(integer), latencyDistributionUnits: text }),
});

const pipeline = struct({
  handlers: list(
    struct({
      name: text,
      type: text,
      version: text,
      selector: struct({ fields: list(struct({ field: text, value: text })) }),
    }),
  ),
});

const apiRules = list(struct({ name: text, version: text, protocol: text }));

const concurrencyLimits = list(struct({ name: text, maxConcurrent: integer }));

/** `spec` of a Configuration file, section by section (compatibility.md 4.2). */
export const sectionShapes = {
  tracing: struct({
    samplingRate: text,
    stdout: boolean,
    zipkin: struct({ endpointAddress: text }),
    otel: struct({ protocol: text, endpointAddress: text, isSecure: boolean, headers: list(text), timeout: duration }),
  }),
  metric,
  metrics: metric,
  httpPipeline: pipeline,
  appHttpPipeline: pipeline,
  mtls: struct({
    enabled: boolean,
    workloadCertTTL: text,
    allowedClockSkew: text,
    sentryAddress: text,
    controlPlaneTrustDomain: text,
    tokenValidators: list(struct({ name: text, options: json })),
  }),
  secrets: struct({
    scopes: list(
      struct({ storeName: text, defaultAccess: text, allowedSecrets: list(text), deniedSecrets: list(text) }),
    ),
  }),
  accessControl: struct({
    defaultAction: text,
    trustDomain: text,
    policies: list(
      struct({
        appId: text,
        defaultAction: text,
        trustDomain: text,
        namespace: text,
        operations: list(struct({ name: text, httpVerb: list(text), action: text })),
      }),
    ),
  }),
  nameResolution: struct({ component: text, version: text, configuration: json }),
  features: list(struct({ name: text, enabled: boolean })),
  api: struct({ allowed: apiRules, denied: apiRules }),
  components: struct({ deny: list(text) }),
  logging: struct({ apiLogging: struct({ enabled: boolean, obfuscateURLs: boolean, omitHealthChecks: boolean }) }),
  wasm: struct({ strictSandbox: boolean }),
  workflow: struct({
    maxConcurrentWorkflowInvocations: integer,
    maxConcurrentActivityInvocations: integer,
    globalMaxConcurrentWorkflowInvocations: integer,
    globalMaxConcurrentActivityInvocations: integer,
    workflowConcurrencyLimits: concurrencyLimits,
    activityConcurrencyLimits: concurrencyLimits,
    stateRetentionPolicy: struct({
      anyTerminal: duration,
      completed: duration,
      failed: duration,
      terminated: duration,
    }),
  }),
} as const;

export type SectionName = keyof typeof sectionShapes;

const spec = struct(sectionShapes);

/** A Configuration file as written. */
export const configurationShape = struct({
  apiVersion: text,
  kind: text,
  metadata: struct({ name: text, namespace: text }, { open: true }),
  spec,
});

export type WrittenSpec = ReturnType<typeof spec>;
