import type { Clock } from "../../kit/clock.ts";
import type { Logger } from "../../kit/logger.ts";
import type { Random } from "../../kit/random.ts";

/** The families of components; the first segment of a component's type. */
export type ComponentFamily =
  | "state"
  | "pubsub"
  | "secretstores"
  | "nameresolution"
  | "bindings"
  | "configuration"
  | "conversation"
  | "lock"
  | "crypto"
  | "middleware";

/** A component's metadata after secrets, environment references and templates have been resolved. Keys keep their case. */
export type ComponentMetadata = Readonly<Record<string, string>>;

/**
 * What every component instance can do. Life cycle: the factory makes it without side effects, `init` connects it, it is
 * used, `close` frees everything. `close` must be safe after a failed or half-done `init`, and safe to call twice.
 */
export interface Component {
  /** What this instance can do, where that hangs on its metadata; known after `init`. Absent: the manifest's capabilities. */
  readonly capabilities?: readonly string[];
  /** @throws ComponentError kind `invalidMetadata` for a bad field, `unavailable` when the back end cannot be reached */
  init(metadata: ComponentMetadata, signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

/** Values that several sidecars of one process share because their composition root says so, keyed by the component. */
export interface SharedScope {
  /** The value under `key`, made on first use. It lives as long as the scope. */
  acquire<T>(key: string, create: () => T): T;
}

/** How a component in use is doing: `degraded` while its back end cannot be used. */
export type ReportedCondition = "ready" | "degraded";

/** What a factory is given. Nothing else of the process may be reached from a component. */
export interface ComponentDeps {
  /** The resource's `metadata.name`. */
  readonly name: string;
  /** The version of the type that is asked for, where there are several; absent: the first. */
  readonly version?: string | undefined;
  readonly appId: string;
  /** Empty when the sidecar runs without one. */
  readonly namespace: string;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly random: Random;
  /** Environment handed to the sidecar; for components whose contract reads it (`secretstores.local.env`). */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly shared: SharedScope;
  /** Where relative paths in metadata start; absent: where the process runs. */
  readonly directory?: string | undefined;
  /**
   * Says that the back end was lost or found again. Cheap, and may be called as often as one likes: the same condition
   * twice is one. `init` that succeeded stands for `ready`; nothing is heard after `close`.
   */
  report(condition: ReportedCondition, reason?: string): void;
}

/** How a metadata field's text is read. Durations are Go's (`1h30m`), sizes Kubernetes quantities (`4Mi`). */
export type MetadataKind = "string" | "integer" | "number" | "boolean" | "duration" | "quantity";

/** One metadata field of a component, named as users write it in `spec.metadata` (matched without case). */
export interface MetadataField {
  readonly name: string;
  readonly kind: MetadataKind;
  readonly required?: boolean;
  /** What Dapr's component says when this required field is missing. */
  readonly missingText?: string;
  readonly sensitive?: boolean;
  readonly default?: string;
  readonly aliases?: readonly string[];
  readonly description: string;
}

export type Stability = "stable" | "beta" | "alpha";

/**
 * The only source of truth about a component: registration, validation, docs, dashboard forms and conformance sections
 * are made from it. `load` imports the back end on first use.
 */
export interface ComponentManifest<T extends Component = Component> {
  readonly family: ComponentFamily;
  /** Full type name as in `spec.type`, for example `state.in-memory`. */
  readonly type: string;
  readonly aliases?: readonly string[];
  readonly versions: readonly { readonly version: string; readonly stability: Stability }[];
  /** Names as `GET /v1.0/metadata` lists them (`ETAG`, `TRANSACTIONAL`, `TTL` …). */
  readonly capabilities: readonly string[];
  readonly metadata: readonly MetadataField[];
  /**
   * Present where `init` connects and asks, and changes nothing anywhere unless one of these fields is written: the doctor
   * may try it beside sidecars that run.
   */
  readonly onlyConnects?: { readonly unless: readonly string[] };
  load(): Promise<(deps: ComponentDeps) => T>;
}
