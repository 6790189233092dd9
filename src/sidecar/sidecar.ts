import { createControlBlock, type ControlBlock } from "../blocks/control/control.ts";
import { createHealth } from "../blocks/control/health.ts";
import type { Inventory, ReloadState } from "../inventory/types.ts";
import type { HttpHandler } from "../net/http/types.ts";
import { errorMessage } from "../kit/error-message.ts";
import { formatGoDuration } from "../kit/duration.ts";
import { sleep } from "../kit/clock.ts";
import { AppSession } from "./app-session.ts";
import { assemble, type Assembly } from "./assembly.ts";
import type { SidecarOptions } from "./options.ts";
import type { Sidecar, SidecarBlocks, SidecarDeps, SidecarExit, SidecarPorts, StopReason } from "./types.ts";

/** Requests still open so long after the grace period has ended are cut off; by then a process of its own has gone. */
const CUT_OFF_DELAY_MS = 250;
/** Where the grace period has no limit, open requests have a day. */
const UNLIMITED_GRACE_MS = 86_400_000;

/** Makes a sidecar; nothing happens before `start`. */
export function createSidecar(options: SidecarOptions, deps: SidecarDeps): Sidecar {
  return new SidecarRuntime(options, deps);
}

class SidecarRuntime implements Sidecar {
  readonly ready: Promise<void>;
  readonly done: Promise<SidecarExit>;
  readonly #options: SidecarOptions;
  readonly #deps: SidecarDeps;
  readonly #health = createHealth();
  readonly #outboundHealth = createHealth();
  readonly #abort = new AbortController();
  readonly #ready = Promise.withResolvers<void>();
  readonly #done = Promise.withResolvers<SidecarExit>();
  readonly #runtimeTarget = this.#health.addTarget("runtime");
  #startMs = 0;
  #isInitialized = false;
  #assembly: Assembly | undefined;
  /** Settles when the attempt to assemble has ended, one way or the other. */
  #assembling: Promise<Assembly> | undefined;
  #session: AppSession | undefined;
  #starting: Promise<void> | undefined;
  #stopping: Promise<void> | undefined;

  constructor(options: SidecarOptions, deps: SidecarDeps) {
    this.#options = options;
    this.#deps = deps;
    this.ready = this.#ready.promise;
    this.done = this.#done.promise;
    // Whoever waits for readiness hears of the failure; nobody has to.
    this.ready.catch(() => undefined);
  }

  get ports(): SidecarPorts {
    return this.#started().ports;
  }

  get http(): HttpHandler {
    return this.#started().http;
  }

  get blocks(): SidecarBlocks {
    return this.#started().blocks;
  }

  start(): Promise<void> {
    this.#starting ??= this.#start();
    return this.#starting;
  }

  stop(reason: StopReason): Promise<void> {
    this.#stopping ??= this.#stop(reason, undefined);
    return this.#stopping;
  }

  async #start(): Promise<void> {
    const { logger, clock } = this.#deps;
    this.#startMs = clock.monotonicMs();
    if (this.#options.gracefulShutdownMs === 0) {
      logger.warn("Graceful shutdown timeout is infinite, will wait indefinitely to shutdown");
    }
    logger.info("standalone mode configured");
    logger.info(`app id: ${this.#options.appId}`);
    const outboundTarget = this.#outboundHealth.addTarget("app");
    try {
      this.#assembling = assemble({
        options: this.#options,
        deps: this.#deps,
        health: this.#health,
        control: (metadata) => this.#control(metadata),
        signal: this.#abort.signal,
        fail: (error) => void this.#fail(error),
      });
      this.#assembly = await this.#assembling;
    } catch (error) {
      await this.#fail(error);
      throw error;
    }
    if (this.#stopping !== undefined) {
      return;
    }
    outboundTarget.ready();
    this.#session = new AppSession(this.#options, this.#deps, this.#assembly);
    if (this.#options.hotReload !== undefined) {
      this.#assembly.reloader?.start();
    }
    void this.#attendApp(this.#session);
  }

  async reload(): Promise<ReloadState | undefined> {
    return await this.#started().reloader?.reload();
  }

  async appLeft(): Promise<void> {
    this.#runtimeTarget.notReady();
    await this.#session?.left();
  }

  async appReturned(): Promise<void> {
    if (this.#session !== undefined && this.#stopping === undefined) {
      await this.#attendApp(this.#session);
    }
  }

  /** Waits for the app and keeps its subscriptions in step with its health, until it leaves or the sidecar stops. */
  async #attendApp(session: AppSession): Promise<void> {
    try {
      if (await session.begin(this.#abort.signal)) {
        this.#appIsThere();
      }
    } catch (error) {
      this.#ready.reject(error);
      if (!this.#abort.signal.aborted) {
        await this.#fail(error);
      }
    }
  }

  #appIsThere(): void {
    const { logger, clock } = this.#deps;
    this.#runtimeTarget.ready();
    if (!this.#isInitialized) {
      this.#isInitialized = true;
      const elapsedMs = Math.round(clock.monotonicMs() - this.#startMs);
      logger.info(`dapr initialized. Status: Running. Init Elapsed ${elapsedMs}ms`);
    }
    this.#ready.resolve();
  }

  #control(metadata: Parameters<typeof createControlBlock>[0]["metadata"]): ControlBlock {
    const { clock, logger } = this.#deps;
    return createControlBlock({
      appId: this.#options.appId,
      metadata,
      health: this.#health,
      outboundHealth: this.#outboundHealth,
      clock,
      logger: logger.scope("dapr.api"),
      requestStop: () => void this.stop("api"),
      forceExit: () => this.#done.resolve({ exitCode: 1 }),
    });
  }

  async #fail(error: unknown): Promise<void> {
    this.#stopping ??= this.#stop("host", error instanceof Error ? error : new Error(String(error)));
    await this.#stopping;
  }

  async #stop(reason: StopReason, error: Error | undefined): Promise<void> {
    const { logger } = this.#deps;
    if (reason === "signal") {
      await this.#block();
    }
    logger.info("Dapr is shutting down");
    this.#runtimeTarget.notReady();
    const drained = await this.#drainWithin(this.#options.gracefulShutdownMs);
    if (!drained) {
      logger.fatal("Graceful shutdown timeout exceeded, forcing shutdown");
    } else {
      logger.info("Dapr runtime stopped");
    }
    const exitCode = drained && error === undefined ? 0 : 1;
    this.#done.resolve(error === undefined ? { exitCode } : { exitCode, error });
  }

  /** `--dapr-block-shutdown-duration`: the APIs stay open, while nothing new is taken from brokers. */
  async #block(): Promise<void> {
    const blockMs = this.#options.blockShutdownMs;
    if (blockMs === undefined || this.#assembly === undefined) {
      return;
    }
    const { logger, clock } = this.#deps;
    const unhealthy = this.#session?.unhealthy() ?? Promise.resolve();
    logger.info(`Blocking graceful shutdown for ${formatGoDuration(blockMs)} or until app reports unhealthy...`);
    await Promise.all([this.#assembly.subscriptions.close(), this.#assembly.inputBindings.close()]);
    const expired = new AbortController();
    const first = await Promise.race([
      sleep(clock, blockMs, expired.signal).then(() => "expired"),
      unhealthy.then(() => "unhealthy"),
    ]);
    expired.abort();
    logger.info(
      first === "expired"
        ? "Block shutdown period expired, entering shutdown..."
        : "App reported unhealthy, entering shutdown...",
    );
  }

  async #drainWithin(limitMs: number): Promise<boolean> {
    if (limitMs === 0) {
      await this.#close(UNLIMITED_GRACE_MS);
      return true;
    }
    this.#deps.logger.debug(`Graceful shutdown timeout: ${formatGoDuration(limitMs)}`);
    const timer = Promise.withResolvers<boolean>();
    const pending = this.#deps.clock.after(limitMs, () => timer.resolve(false));
    const closed = this.#close(limitMs + CUT_OFF_DELAY_MS).then(() => true);
    const drained = await Promise.race([closed, timer.promise]);
    pending.cancel();
    return drained;
  }

  /**
   * Intake ends first, so that the app can finish what it was given with the APIs still there; then the APIs, then what
   * they stand on, and the way to the app last.
   */
  async #close(requestsMs: number): Promise<void> {
    this.#abort.abort(new Error("the sidecar is stopping"));
    this.#ready.reject(this.#abort.signal.reason);
    this.#session?.close();
    // A start that is under way closes what it has opened, or comes to its end.
    const assembly = await this.#assembling?.catch(() => undefined);
    if (assembly === undefined) {
      return;
    }
    // A change under way may wait for the very deliveries that the next step ends.
    const reloading = assembly.reloader?.close();
    const steps = [
      () => Promise.all([assembly.subscriptions.close(), assembly.inputBindings.close(), assembly.jobTriggers.stop()]),
      () => assembly.blocks.configuration.close(),
      () => assembly.blocks.actors.close(),
      () => assembly.base.listeners.close(requestsMs),
      () => assembly.scheduler?.close(),
      () => assembly.outbox.close(),
      () => closeComponents(assembly.inventory, this.#deps),
      () => assembly.resolver?.close(),
      () => assembly.outgoing.mesh.close(),
      () => assembly.outgoing.endpoints.close(),
      () => assembly.app?.passage?.close(),
      () => assembly.app?.channel.close(),
      () => assembly.base.tracing.close(),
      () => assembly.base.identity?.close(),
      () => reloading,
    ];
    for (const step of steps) {
      try {
        await step();
      } catch (error) {
        this.#deps.logger.warn(`error while closing: ${errorMessage(error)}`);
      }
    }
  }

  #started(): Assembly {
    if (this.#assembly === undefined) {
      throw new Error("the sidecar has not been started");
    }
    return this.#assembly;
  }
}

async function closeComponents(inventory: Inventory, deps: SidecarDeps): Promise<void> {
  for (const component of inventory.components()) {
    deps.logger.info(`Shutting down component ${component.name} (${component.type}/${component.version})`);
  }
  await inventory.close();
}
