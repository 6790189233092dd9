import type { StreamGarbage } from "../kit/stream-tally.ts";
import type { ActorsBlock } from "../blocks/actors/actors-block.ts";
import type { HostedActors } from "../blocks/actors/types.ts";
import type { BindingsBlock } from "../blocks/bindings/bindings-block.ts";
import type { ConfigurationBlock } from "../blocks/configuration/configuration-block.ts";
import type { ConversationBlock } from "../blocks/conversation/conversation-block.ts";
import type { ControlBlock } from "../blocks/control/control.ts";
import type { CryptoBlock } from "../blocks/crypto/crypto-block.ts";
import type { InvocationBlock } from "../blocks/invocation/invocation.ts";
import type { JobsBlock } from "../blocks/jobs/jobs-block.ts";
import type { LockBlock } from "../blocks/lock/lock-block.ts";
import type { PubSubBlock } from "../blocks/pubsub/pubsub-block.ts";
import type { Subscriptions } from "../blocks/pubsub/subscriptions.ts";
import type { SecretsBlock } from "../blocks/secrets/secrets-block.ts";
import type { StateBlock } from "../blocks/state/state-block.ts";
import type { SharedScope } from "../components/spi/component.ts";
import type { ComponentConditions, ReloadState } from "../inventory/types.ts";
import type { Clock } from "../kit/clock.ts";
import type { Logger } from "../kit/logger.ts";
import type { Random } from "../kit/random.ts";
import type { PlacementIdentity } from "../mesh/placement-host.ts";
import type { OpenPlacement } from "../mesh/placement-stream.ts";
import type { Transport } from "../net/h2/transport.ts";
import type { HttpHandler } from "../net/http/types.ts";
import type { LocalScheduler } from "../scheduling/types.ts";
import type { ProcessFacts } from "../telemetry/metrics/process-metrics.ts";

/** What sidecars of one process use in place of a service that they are told no address of. */
export interface LocalServices {
  /** Streams to a placement service; the addresses they are opened to are not looked at. */
  placement(identity: PlacementIdentity): Promise<OpenPlacement>;
  readonly scheduler: LocalScheduler;
}

/** Everything of the outside world that a sidecar may touch; a composition root hands it in. */
export interface SidecarDeps {
  readonly logger: Logger;
  readonly clock: Clock;
  readonly random: Random;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** What components of several sidecars share; a scope of its own for a sidecar on its own. */
  readonly shared: SharedScope;
  /** Where relative paths in the metadata of components start; absent: where the process runs. */
  readonly directory?: string | undefined;
  readonly transport: Transport;
  /** Name resolver where the Configuration names none: `mdns` for the executable, `outrigger.local` within one process. */
  readonly nameResolution: string;
  /** Placement and scheduler in this process; absent: without an address there are no actors and no jobs. */
  readonly services?: LocalServices | undefined;
  /** Actors in this process, which are hosted whatever the app says; absent: the app is asked. */
  readonly actors?: HostedActors | undefined;
  /** Told whenever all sidecars know where actors are. */
  readonly onPlacement?: (() => void) | undefined;
  /** An app in this process; it takes the place of `appPort`. */
  readonly app?: HttpHandler | undefined;
  /**
   * `keep`: the sidecar runs without components that do not come up, whatever they say about `ignoreErrors`, and tells
   * them in its component conditions only. `stop` when absent, as in Dapr.
   */
  readonly componentFailures?: "stop" | "keep" | undefined;
  /** Ends this sidecar and starts another one with the same options; absent: the owner does that by himself. */
  readonly restart?: (() => void) | undefined;
  /** Counts what the API doors have answered, scrapes of the metrics port not among it; absent: nobody asks. */
  readonly activity?: { calls: number } | undefined;
  /** Collects the garbage that large bodies leave; absent: V8 does when it sees fit. */
  readonly streamGarbage?: StreamGarbage | undefined;
  /** Absent: no `process_*` metrics, for a sidecar that is not the process. */
  readonly process?: ProcessFacts | undefined;
}

/** Where a sidecar listens; undefined for doors that are closed. */
export interface SidecarPorts {
  readonly http: number | undefined;
  readonly grpc: number | undefined;
  readonly internalGrpc: number | undefined;
  readonly public: number | undefined;
  readonly metrics: number | undefined;
}

/** The operations of a sidecar, for callers in the same process. */
export interface SidecarBlocks {
  readonly state: StateBlock;
  readonly pubsub: PubSubBlock;
  readonly invocation: InvocationBlock;
  readonly bindings: BindingsBlock;
  readonly secrets: SecretsBlock;
  readonly configuration: ConfigurationBlock;
  readonly jobs: JobsBlock;
  readonly actors: ActorsBlock;
  readonly lock: LockBlock;
  readonly crypto: CryptoBlock;
  readonly conversation: ConversationBlock;
  readonly control: ControlBlock;
  readonly components: ComponentConditions;
  /** How the app's subscriptions are doing, and those that it opens as streams. */
  readonly subscriptions: Pick<Subscriptions, "conditions" | "streams">;
}

/** Why a sidecar is asked to stop: only a signal is held back by `--dapr-block-shutdown-duration`. */
export type StopReason = "signal" | "api" | "host";

/** How a sidecar ended. `error` is what ended it when that was not asked for. */
export interface SidecarExit {
  readonly exitCode: number;
  readonly error?: Error;
}

/** One sidecar: a value that is started and stopped; fifty of them run in one process. */
export interface Sidecar {
  /** Resolves when the APIs are open, which is before the app has to be there. @throws Error naming what kept it from starting */
  start(): Promise<void>;
  /** Resolves when all is ready: the app has answered and its subscriptions are live. Rejects when it stops before. */
  readonly ready: Promise<void>;
  /**
   * The app has ended and may come back: nothing is taken from brokers and input bindings for it until `appReturned`,
   * and health says not ready. Resolves when deliveries under way have settled. Call it after `start`.
   */
  appLeft(): Promise<void>;
  /** Waits for the app as after the start and asks it again what it wants. Resolves as `ready` does, or when the app has left again. */
  appReturned(): Promise<void>;
  /**
   * Reads the resources again and changes what is not the same. Resolves when that is in use, or has been refused, which
   * the state tells; undefined where changes are not followed. Call it after `start`.
   */
  reload(): Promise<ReloadState | undefined>;
  /** Drains and closes all; calls after the first wait for the same end. Never rejects. */
  stop(reason: StopReason): Promise<void>;
  /** Resolves once, however the sidecar ends. */
  readonly done: Promise<SidecarExit>;
  readonly ports: SidecarPorts;
  /** The HTTP API without a socket; available after `start`. */
  readonly http: HttpHandler;
  /** Available after `start`. */
  readonly blocks: SidecarBlocks;
}
