import type { AccessControlDocument } from "../security/access-control/document.ts";
import type { WrittenTracing } from "../telemetry/tracing/settings.ts";
import type { SectionName, WrittenSpec } from "./configuration-shape.ts";
import type { JsonValue } from "./json-value.ts";
import type { Origin } from "./resource.ts";

export interface ApiAccessRule {
  readonly name: string;
  readonly version: string;
  /** `http` or `grpc`, in lower case; other protocols match nothing. */
  readonly protocol: string;
}

export interface SecretScope {
  readonly storeName: string;
  readonly defaultAccess: "allow" | "deny";
  readonly allowedSecrets: readonly string[];
  readonly deniedSecrets: readonly string[];
}

export interface PipelineHandler {
  readonly name: string;
  readonly type: string;
  readonly version: string;
  readonly fields: readonly { readonly field: string; readonly value: string }[];
}

/** The sidecar's Configuration with every default filled in (compatibility.md 4.2). */
export interface Configuration {
  /** `metadata.name` of the last file; empty without one. */
  readonly name: string;
  readonly api: { readonly allowed: readonly ApiAccessRule[]; readonly denied: readonly ApiAccessRule[] };
  readonly metrics: {
    readonly enabled: boolean;
    readonly recordErrorCodes: boolean;
    /** `increasedCardinality` undefined: not said, which Dapr warns about and takes for true. */
    readonly http: {
      readonly increasedCardinality: boolean | undefined;
      readonly pathMatching: readonly string[];
      readonly excludeVerbs: boolean;
    };
    readonly rules: readonly {
      readonly name: string;
      readonly labels: readonly { readonly name: string; readonly regex: ReadonlyMap<string, string> }[];
    }[];
    /** Milliseconds; undefined: Dapr's own. */
    readonly latencyDistributionBuckets: readonly number[] | undefined;
  };
  readonly apiLogging: {
    readonly enabled: boolean;
    readonly obfuscateUrls: boolean;
    readonly omitHealthChecks: boolean;
  };
  readonly secretScopes: readonly SecretScope[];
  /** `component` empty: the shape's default resolver. */
  readonly nameResolution: {
    readonly component: string;
    readonly version: string;
    readonly configuration: JsonValue | undefined;
  };
  readonly components: { readonly deny: readonly string[] };
  readonly httpPipeline: readonly PipelineHandler[];
  readonly appHttpPipeline: readonly PipelineHandler[];
  readonly accessControl: AccessControlDocument;
  /** Sorted names of the features that are on, for the metadata API. */
  readonly enabledFeatures: readonly string[];
  readonly tracing: WrittenTracing;
  readonly mtls: WrittenSpec["mtls"];
  readonly wasm: { readonly strictSandbox: boolean };
  readonly workflow: WrittenSpec["workflow"];
  /** Sections that were written with something other than their off value, and where: for warnings about missing features. */
  readonly sections: ReadonlyMap<SectionName, Origin>;
}
