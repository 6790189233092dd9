import type { BindingsBlock } from "../blocks/bindings/bindings-block.ts";
import type { ConfigurationBlock } from "../blocks/configuration/configuration-block.ts";
import type { ConversationBlock } from "../blocks/conversation/conversation-block.ts";
import type { ControlBlock } from "../blocks/control/control.ts";
import type { InvocationBlock } from "../blocks/invocation/invocation.ts";
import type { LockBlock } from "../blocks/lock/lock-block.ts";
import type { PubSubBlock } from "../blocks/pubsub/pubsub-block.ts";
import type { SecretsBlock } from "../blocks/secrets/secrets-block.ts";
import type { StateBlock } from "../blocks/state/state-block.ts";
import type { SharedScope } from "../components/spi/component.ts";
import { createSharedScope } from "../inventory/shared-scope.ts";
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

/** What an embedded runtime is told; everything but the app id has a default. */
export interface RuntimeOptions extends Partial<Omit<SidecarOptions, "appId">> {
  readonly appId: string;
  /** The app: a function that answers HTTP exchanges. Invocations, subscriptions and deliveries reach it without a socket. */
  readonly app?: HttpHandler;
  /** Hand the same scope to several runtimes and they share in-memory brokers and find each other. */
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
  readonly control: ControlBlock;
  /** Sends a request through the HTTP API without a socket: what an HTTP client would get. */
  request(request: HttpRequest): Promise<HttpResponse>;
  /** The sidecar beneath, for its ports where options opened some. */
  readonly sidecar: Sidecar;
  close(): Promise<void>;
}

/**
 * Starts a sidecar in this process, with no port open unless the options ask for one, and resolves when it is ready: its
 * components are loaded and the app's subscriptions are live.
 * @throws Error naming what kept it from starting
 */
export async function createRuntime(options: RuntimeOptions): Promise<Runtime> {
  const { app, shared, logger, clock, random, environment, ...overrides } = options;
  const sidecar = createSidecar(
    { ...defaultOptions(options.appId), ...overrides },
    {
      logger: logger ?? silentLogger,
      clock: clock ?? systemClock,
      random: random ?? systemRandom,
      environment: environment ?? {},
      shared: shared ?? createSharedScope(),
      transport: createH2Transport(),
      nameResolution: "outrigger.local",
      app,
    },
  );
  await sidecar.start();
  await sidecar.ready;
  return {
    ...sidecar.blocks,
    sidecar,
    request: (request) => callInProcess(sidecar.http, request),
    close: () => sidecar.stop("host"),
  };
}
