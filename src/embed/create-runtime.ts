import type { ActorsBlock } from "../blocks/actors/actors-block.ts";
import { hostSettingsOf } from "../blocks/actors/host-settings.ts";
import type { HostedActors } from "../blocks/actors/types.ts";
import type { BindingsBlock } from "../blocks/bindings/bindings-block.ts";
import type { ConfigurationBlock } from "../blocks/configuration/configuration-block.ts";
import type { ConversationBlock } from "../blocks/conversation/conversation-block.ts";
import type { ControlBlock } from "../blocks/control/control.ts";
import type { InvocationBlock } from "../blocks/invocation/invocation.ts";
import type { JobsBlock } from "../blocks/jobs/jobs-block.ts";
import type { LockBlock } from "../blocks/lock/lock-block.ts";
import type { PubSubBlock } from "../blocks/pubsub/pubsub-block.ts";
import type { SecretsBlock } from "../blocks/secrets/secrets-block.ts";
import type { StateBlock } from "../blocks/state/state-block.ts";
import type { SharedScope } from "../components/spi/component.ts";
import { createSharedScope } from "../inventory/shared-scope.ts";
import type { ReloadState } from "../inventory/types.ts";
import type { Clock } from "../kit/clock.ts";
import type { Logger } from "../kit/logger.ts";
import { silentLogger } from "../kit/silent-logger.ts";
import { type Random, systemRandom } from "../kit/random.ts";
import { systemClock } from "../kit/system-clock.ts";
import { createH2Transport } from "../net/h2/protocol/transport.ts";
import { callInProcess } from "../net/http/in-process.ts";
import type { HttpHandler, HttpRequest, HttpResponse } from "../net/http/types.ts";
import { defaultOptions } from "../sidecar/default-options.ts";
import type { SidecarOptions } from "../sidecar/options.ts";
import { createSidecar } from "../sidecar/sidecar.ts";
import type { Sidecar } from "../sidecar/types.ts";
import { actorHandle } from "./actor-access.ts";
import type { ActorClass, ActorConfig, ActorHandle } from "./actor-types.ts";
import { ClassActorHost } from "./class-actor-host.ts";
import { RuntimeCluster } from "./runtime-cluster.ts";

/** What an embedded runtime is told; everything but the app id has a default. */
export interface RuntimeOptions extends Partial<Omit<SidecarOptions, "appId">> {
  readonly appId: string;
  /** The app: a function that answers HTTP exchanges. Invocations, subscriptions and deliveries reach it without a socket. */
  readonly app?: HttpHandler;
  /**
   * Classes of actors by their types. They need a state store with `actorStateStore: "true"` among the resources. An app
   * may host actors by its routes too, as over HTTP, where there are no classes.
   */
  readonly actors?: Readonly<Record<string, ActorClass>>;
  readonly actorConfig?: ActorConfig;
  /**
   * Where jobs and reminders are kept, made with the first of them; absent: in memory, until the last runtime of the scope
   * is closed. Only one process at a time can use it.
   */
  readonly jobsFolder?: string;
  /**
   * Hand the same scope to several runtimes and they share in-memory brokers, find each other, distribute their actors
   * among them and have one scheduler.
   */
  readonly shared?: SharedScope;
  readonly logger?: Logger;
  readonly clock?: Clock;
  readonly random?: Random;
  /** For `secretstores.local.env` and references in resources; the process's own environment is never read. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
}

/** The runtime inside this process: building blocks are method calls. */
export interface Runtime {
  readonly state: StateBlock;
  readonly pubsub: PubSubBlock;
  readonly invocation: InvocationBlock;
  readonly bindings: BindingsBlock;
  readonly secrets: SecretsBlock;
  readonly configuration: ConfigurationBlock;
  readonly lock: LockBlock;
  readonly conversation: ConversationBlock;
  readonly jobs: JobsBlock;
  readonly actors: Pick<
    ActorsBlock,
    "call" | "getState" | "transact" | "createTimer" | "deleteTimer" | "reminders" | "status"
  >;
  /** An actor of any type that somebody in reach hosts; its methods take and return JSON. */
  actor(type: string, id: string): ActorHandle;
  readonly control: ControlBlock;
  /** Sends a request through the HTTP API without a socket: what an HTTP client would get. */
  request(request: HttpRequest): Promise<HttpResponse>;
  /**
   * Reads the resources again and changes what is not the same, component by component, while calls go on. Resolves when
   * that is in use or has been refused, which the state tells; undefined where there are no resource folders, or the
   * Configuration switches hot reload off. With the option `hotReload` it also happens by itself.
   */
  reload(): Promise<ReloadState | undefined>;
  /** The sidecar beneath, for its ports where options opened some. */
  readonly sidecar: Sidecar;
  close(): Promise<void>;
}

/**
 * Starts a sidecar in this process, with no port open unless the options ask for one, and resolves when it is ready: its
 * components are loaded, the app's subscriptions are live, and its actors can be called.
 * @throws Error naming what kept it from starting
 */
export async function createRuntime(options: RuntimeOptions): Promise<Runtime> {
  const { app, actors, actorConfig, jobsFolder, shared, logger, clock, random, environment, ...overrides } = options;
  const settings: SidecarOptions = { ...defaultOptions(options.appId), ...overrides };
  const world = { logger: logger ?? silentLogger, clock: clock ?? systemClock, random: random ?? systemRandom };
  const scope = shared ?? createSharedScope();
  const cluster = RuntimeCluster.of(scope);
  const services = await cluster.join({ ...world, jobsFolder });
  const placed = Promise.withResolvers<void>();
  const hosted =
    actors === undefined ? undefined : hostedActors(actors, actorConfig, settings, world.logger, () => sidecar);
  const sidecar: Sidecar = createSidecar(settings, {
    ...world,
    environment: environment ?? {},
    shared: scope,
    services,
    transport: createH2Transport(),
    nameResolution: "outrigger.local",
    app,
    actors: hosted,
    onPlacement: () => placed.resolve(),
  });
  // However it ends.
  const left = sidecar.done.then(() => cluster.leave());
  try {
    await sidecar.start();
    await sidecar.ready;
    if (hosted !== undefined) {
      checkActorStore(sidecar, hosted);
      // A service elsewhere may take its time, as for a sidecar.
      await (settings.placement.addresses.length > 0 ? undefined : Promise.race([placed.promise, sidecar.done]));
    }
  } catch (error) {
    await sidecar.stop("host");
    await left;
    throw error;
  }
  const { blocks } = sidecar;
  return {
    ...blocks,
    sidecar,
    actor: (type, id) => actorHandle(blocks.actors, { type, id }, () => undefined),
    request: (request) => callInProcess(sidecar.http, request),
    reload: () => sidecar.reload(),
    async close() {
      await sidecar.stop("host");
      await left;
    },
  };
}

function hostedActors(
  classes: Readonly<Record<string, ActorClass>>,
  config: ActorConfig | undefined,
  { placement }: SidecarOptions,
  logger: Logger,
  sidecar: () => Sidecar,
): HostedActors {
  const entities = Object.keys(classes);
  return {
    ...hostSettingsOf({ ...config, entities }, placement.disseminationTimeoutMs, logger),
    host: new ClassActorHost(classes, () => sidecar().blocks.actors, logger),
  };
}

/** Actors without a store would not be hosted, and every call of them would only say that nobody hosts them. */
function checkActorStore({ blocks }: Sidecar, { types }: HostedActors): void {
  const stores = blocks.control.metadata().components.filter(({ capabilities }) => capabilities.includes("ACTOR"));
  if (stores.length !== 1) {
    throw new Error(
      `the actors ${[...types.keys()].join(", ")} need one state store among the resources whose metadata say actorStateStore: "true", not ${stores.length}`,
    );
  }
}
