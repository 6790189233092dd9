import { toAccessControl } from "./configuration-access-control.ts";
import { sectionShapes, type SectionName, type WrittenSpec } from "./configuration-shape.ts";
import type { ApiAccessRule, Configuration, PipelineHandler, SecretScope } from "./configuration-types.ts";
import { ResourceError } from "./error.ts";
import type { Origin } from "./resource.ts";
import { isNull, type Reading } from "./shape.ts";
import type { YamlEntry } from "./yaml-node.ts";

/** Features that are on until a Configuration turns them off. */
const DEFAULT_FEATURES: readonly string[] = ["HotReload", "WorkflowsRemoteActivityReminder"];

/**
 * Fills every default into what the files say. `entries` are the written sections of `spec`, for their places.
 * @throws ResourceError for secret scopes that contradict each other
 */
export function toConfiguration(
  name: string,
  spec: WrittenSpec | undefined,
  entries: ReadonlyMap<string, YamlEntry>,
  reading: Reading,
): Configuration {
  const { tracing, accessControl, nameResolution, logging } = spec ?? {};
  const configuration = {
    name,
    api: { allowed: apiRules(spec?.api?.allowed), denied: apiRules(spec?.api?.denied) },
    metrics: metricsOf(spec),
    apiLogging: {
      enabled: logging?.apiLogging?.enabled ?? false,
      obfuscateUrls: logging?.apiLogging?.obfuscateURLs ?? false,
      omitHealthChecks: logging?.apiLogging?.omitHealthChecks ?? false,
    },
    secretScopes: secretScopes(spec?.secrets?.scopes ?? [], entries.get("secrets")),
    nameResolution: {
      component: nameResolution?.component ?? "",
      version: nameResolution?.version ?? "",
      configuration: nameResolution?.configuration,
    },
    components: { deny: spec?.components?.deny ?? [] },
    httpPipeline: handlersOf(spec?.httpPipeline),
    appHttpPipeline: handlersOf(spec?.appHttpPipeline),
    accessControl: toAccessControl(accessControl, entries.get("accessControl")),
    enabledFeatures: enabledFeatures(spec?.features ?? []),
    tracing: {
      samplingRate: tracing?.samplingRate ?? "",
      stdout: tracing?.stdout ?? false,
      zipkinEndpoint: tracing?.zipkin?.endpointAddress ?? "",
      otel: {
        endpointAddress: tracing?.otel?.endpointAddress ?? "",
        protocol: tracing?.otel?.protocol ?? "",
        isSecure: tracing?.otel?.isSecure ?? true,
        headers: tracing?.otel?.headers ?? [],
        timeoutMs: tracing?.otel?.timeout,
      },
    },
    mtls: spec?.mtls,
    wasm: { strictSandbox: spec?.wasm?.strictSandbox ?? false },
    workflow: spec?.workflow,
  };
  return { ...configuration, sections: activeSections(configuration, entries, reading) };
}

/** What makes a section more than its off value. Sections that are read by nothing but their presence are always on. */
const isActive: Readonly<Record<SectionName, (configuration: Omit<Configuration, "sections">) => boolean>> = {
  tracing: ({ tracing }) =>
    tracing.stdout ||
    tracing.zipkinEndpoint !== "" ||
    tracing.otel.endpointAddress !== "" ||
    Number(tracing.samplingRate || "0") > 0,
  metric: () => true,
  metrics: () => true,
  httpPipeline: ({ httpPipeline }) => httpPipeline.length > 0,
  appHttpPipeline: ({ appHttpPipeline }) => appHttpPipeline.length > 0,
  mtls: ({ mtls }) => mtls?.enabled === true || (mtls?.tokenValidators ?? []).length > 0,
  secrets: ({ secretScopes: scopes }) => scopes.length > 0,
  accessControl: ({ accessControl }) =>
    accessControl.defaultAction.toLowerCase() !== "allow" || accessControl.policies.length > 0,
  nameResolution: ({ nameResolution }) => nameResolution.component !== "",
  features: ({ enabledFeatures: features }) =>
    features.some((feature) => !DEFAULT_FEATURES.includes(feature)) || features.length < DEFAULT_FEATURES.length,
  api: ({ api }) => api.allowed.length > 0 || api.denied.length > 0,
  components: ({ components }) => components.deny.length > 0,
  logging: ({ apiLogging }) => apiLogging.enabled,
  wasm: ({ wasm }) => wasm.strictSandbox,
  workflow: ({ workflow }) =>
    workflow !== undefined && Object.values(workflow).some((value) => value !== undefined && value !== 0),
};

function activeSections(
  configuration: Omit<Configuration, "sections">,
  entries: ReadonlyMap<string, YamlEntry>,
  reading: Reading,
): ReadonlyMap<SectionName, Origin> {
  const sections = new Map<SectionName, Origin>();
  for (const [key, entry] of entries) {
    if (isSectionName(key) && !isNull(entry.value, reading) && isActive[key](configuration)) {
      sections.set(key, { file: entry.place.file, line: entry.place.line });
    }
  }
  return sections;
}

function isSectionName(key: string): key is SectionName {
  return Object.hasOwn(sectionShapes, key);
}

/** What `spec.metrics` says counts before what `spec.metric` says, field by field. */
function metricsOf(spec: WrittenSpec | undefined): Configuration["metrics"] {
  const { metric, metrics } = spec ?? {};
  const http = metrics?.http ?? metric?.http;
  const rules = metrics?.rules !== undefined && metrics.rules.length > 0 ? metrics.rules : (metric?.rules ?? []);
  return {
    enabled: metrics?.enabled ?? metric?.enabled ?? true,
    recordErrorCodes: metrics?.recordErrorCodes ?? metric?.recordErrorCodes ?? false,
    http: {
      increasedCardinality: http?.increasedCardinality,
      pathMatching: http?.pathMatching ?? [],
      excludeVerbs: http?.excludeVerbs ?? false,
    },
    rules: rules.map((rule) => ({
      name: rule.name ?? "",
      labels: (rule.labels ?? []).map((label) => ({
        name: label.name ?? "",
        regex: label.regex ?? new Map<string, string>(),
      })),
    })),
    latencyDistributionBuckets: metrics?.latencyDistributionBuckets ?? metric?.latencyDistributionBuckets,
  };
}

type WrittenRules = NonNullable<WrittenSpec["api"]>["allowed"];

function apiRules(written: WrittenRules): readonly ApiAccessRule[] {
  return (written ?? []).map((rule) => ({
    name: rule.name ?? "",
    version: rule.version ?? "",
    protocol: (rule.protocol ?? "").toLowerCase(),
  }));
}

/** Texts of both faults are Dapr's. */
function secretScopes(
  written: NonNullable<NonNullable<WrittenSpec["secrets"]>["scopes"]>,
  section: YamlEntry | undefined,
): readonly SecretScope[] {
  const place = section?.place ?? { file: "", line: 0, column: 0 };
  const stores = new Set<string>();
  return written.map((scope) => {
    const storeName = scope.storeName ?? "";
    const access = (scope.defaultAccess ?? "").toLowerCase();
    if (stores.has(storeName)) {
      throw new ResourceError(place, `${storeName} storeName is repeated in secrets configuration`);
    }
    if (access !== "" && access !== "allow" && access !== "deny") {
      throw new ResourceError(place, `defaultAccess ${scope.defaultAccess ?? ""} can be either allow or deny`);
    }
    stores.add(storeName);
    return {
      storeName,
      defaultAccess: access === "deny" ? "deny" : "allow",
      allowedSecrets: scope.allowedSecrets ?? [],
      deniedSecrets: scope.deniedSecrets ?? [],
    };
  });
}

function handlersOf(pipeline: WrittenSpec["httpPipeline"]): readonly PipelineHandler[] {
  return (pipeline?.handlers ?? []).map((handler) => ({
    name: handler.name ?? "",
    type: handler.type ?? "",
    version: handler.version ?? "",
    fields: (handler.selector?.fields ?? []).map(({ field, value }) => ({ field: field ?? "", value: value ?? "" })),
  }));
}

/** In the order written: a feature that is turned off stays off unless a later entry turns it on. */
function enabledFeatures(written: NonNullable<WrittenSpec["features"]>): readonly string[] {
  const enabled = new Set(DEFAULT_FEATURES);
  for (const { name = "", enabled: on } of written) {
    if (on === true && name !== "") {
      enabled.add(name);
    } else {
      enabled.delete(name);
    }
  }
  return [...enabled].sort();
}
