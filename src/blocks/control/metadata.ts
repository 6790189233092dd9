import type { SubscriptionRule } from "../../app/types.ts";

/** How an active subscription came to be, as `GET /v1.0/metadata` names it. */
export type SubscriptionType = "UNKNOWN" | "DECLARATIVE" | "PROGRAMMATIC" | "STREAMING";

export interface MetadataSubscription {
  readonly pubsubName: string;
  readonly topic: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly rules: readonly SubscriptionRule[];
  readonly deadLetterTopic: string;
  readonly type: SubscriptionType;
}

export interface MetadataComponent {
  readonly name: string;
  readonly type: string;
  readonly version: string;
  readonly capabilities: readonly string[];
}

/** The app connection as the metadata lists it; durations as Go prints them. `health` is absent without health checks. */
export interface MetadataAppConnection {
  readonly port: number;
  readonly protocol: string;
  readonly channelAddress: string;
  readonly maxConcurrency: number;
  readonly health?: {
    /** Absent for gRPC apps. */
    readonly path?: string;
    readonly probeInterval: string;
    readonly probeTimeout: string;
    readonly threshold: number;
  };
}

/** How actors are doing. `placement` is empty while it is too early to say. */
export interface MetadataActors {
  readonly status: "INITIALIZING" | "DISABLED" | "RUNNING";
  readonly active: readonly { readonly type: string; readonly count: number }[];
  readonly hostReady: boolean;
  readonly placement: string;
}

/** What `GetMetadata` answers over both doors. */
export interface RuntimeMetadata {
  readonly id: string;
  readonly runtimeVersion: string;
  readonly enabledFeatures: readonly string[];
  readonly components: readonly MetadataComponent[];
  readonly extended: Readonly<Record<string, string>>;
  readonly subscriptions: readonly MetadataSubscription[];
  readonly httpEndpoints: readonly string[];
  readonly resiliencies: readonly string[];
  readonly appConnection: MetadataAppConnection;
  readonly actors: MetadataActors;
  /** Addresses of the schedulers that are known; empty: none. */
  readonly schedulers: readonly string[];
}

/** Where the block reads what is loaded and running at the moment of the question. */
export interface MetadataSources {
  readonly id: string;
  readonly runtimeVersion: string;
  readonly enabledFeatures: readonly string[];
  readonly appConnection: MetadataAppConnection;
  httpEndpoints(): readonly string[];
  resiliencies(): readonly string[];
  components(): readonly MetadataComponent[];
  subscriptions(): readonly MetadataSubscription[];
  actors(): MetadataActors;
  schedulers(): readonly string[];
}

/** Most user-set values and the most bytes of one; both guard the sidecar's memory. */
export const EXTENDED_METADATA_ENTRIES_MAX = 1024;

export interface MetadataBlock {
  get(): RuntimeMetadata;
  /** Sets a user value; an empty key does nothing. @returns false when there is no room for another key */
  set(key: string, value: string): boolean;
}

/** Keeps the user's values beside what the runtime knows of itself. `daprRuntimeVersion` is always the runtime's. */
export function createMetadataBlock(sources: MetadataSources): MetadataBlock {
  const extended = new Map<string, string>();
  return {
    get: () => ({
      id: sources.id,
      runtimeVersion: sources.runtimeVersion,
      enabledFeatures: sources.enabledFeatures,
      components: sources.components(),
      extended: { ...Object.fromEntries(extended), daprRuntimeVersion: sources.runtimeVersion },
      subscriptions: sources.subscriptions(),
      httpEndpoints: sources.httpEndpoints(),
      resiliencies: sources.resiliencies(),
      appConnection: sources.appConnection,
      actors: sources.actors(),
      schedulers: sources.schedulers(),
    }),
    set(key, value) {
      if (key === "") {
        return true;
      }
      if (!extended.has(key) && extended.size >= EXTENDED_METADATA_ENTRIES_MAX) {
        return false;
      }
      extended.set(key, value);
      return true;
    },
  };
}
