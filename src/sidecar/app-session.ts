import { AppHealth } from "../app/health.ts";
import { HttpActorHost } from "../app/http-actor-host.ts";
import type { AppChannel } from "../app/types.ts";
import { waitForApp } from "../app/wait.ts";
import { parseHostSettings } from "../blocks/actors/host-settings.ts";
import type { HostedActors } from "../blocks/actors/types.ts";
import { errorMessage } from "../kit/error-message.ts";
import { collectBody } from "../app/body.ts";
import type { Assembly } from "./assembly.ts";
import type { SidecarOptions } from "./options.ts";
import type { SidecarDeps } from "./types.ts";

/** Bytes of the app's answer to `GET /dapr/config`. */
const APP_CONFIG_BYTES_MAX = 1024 * 1024;

/** The life with one app: waiting for it, asking it what it wants, and following its health. */
export class AppSession {
  readonly #options: SidecarOptions;
  readonly #deps: SidecarDeps;
  readonly #assembly: Assembly;
  readonly #unhealthy: (() => void)[] = [];
  #health: AppHealth | undefined;
  #introduced = false;
  #actorHost: HttpActorHost | undefined;
  /** What the app said it hosts. */
  #hosted: HostedActors | undefined;
  /** The app's port has answered, and its probes, where there are any, have not failed since. */
  #isWell = false;
  /** It may have been there before this process: nobody has seen its port closed, or the app before it end. */
  #mayBeOlder = true;
  /** Aborted when the app leaves. */
  #visit = new AbortController();

  constructor(options: SidecarOptions, deps: SidecarDeps, assembly: Assembly) {
    this.#options = options;
    this.#deps = deps;
    this.#assembly = assembly;
  }

  /**
   * Resolves to true when the app has answered and its subscriptions are live, or, with health checks, when the probes
   * run; to false when the app has left before.
   */
  async begin(signal: AbortSignal): Promise<boolean> {
    const visit = new AbortController();
    this.#visit = visit;
    try {
      await this.#attend(AbortSignal.any([signal, visit.signal]));
    } catch (error) {
      if (!visit.signal.aborted) {
        throw error;
      }
    }
    return !visit.signal.aborted;
  }

  /** The app has ended. Resolves when deliveries under way have settled; `begin` may follow at once. */
  async left(): Promise<void> {
    this.#visit.abort(new Error("the app has ended"));
    this.#mayBeOlder = false;
    this.#actorHost?.left();
    this.#health?.close();
    this.#health = undefined;
    this.#assembly.appHealth.follow(undefined);
    this.#introduced = false;
    this.#isWell = false;
    const { subscriptions, inputBindings, jobTriggers } = this.#assembly;
    await Promise.all([subscriptions.forget(), inputBindings.stop(), jobTriggers.stop(), this.#leaveActors()]);
  }

  async #attend(signal: AbortSignal): Promise<void> {
    const { app } = this.#assembly;
    const { logger, clock } = this.#deps;
    if (app === undefined) {
      this.#isWell = true;
      this.#assembly.blocks.actors.register(this.#deps.actors);
      return;
    }
    if (this.#options.appPort !== undefined && this.#deps.app === undefined) {
      logger.info(
        `application protocol: ${this.#options.appProtocol}. waiting on port ${this.#options.appPort}.  This will block until the app is listening on that port.`,
      );
      const { isNew } = await waitForApp(app.dial, clock, signal);
      this.#mayBeOlder &&= !isNew;
      logger.info(`application discovered on port ${this.#options.appPort}`);
    }
    if (this.#options.appMaxConcurrency > 0) {
      logger.info(`app max concurrency set to ${this.#options.appMaxConcurrency}`);
    }
    const { appHealth } = this.#options;
    if (!appHealth.enabled) {
      await this.#appIsHealthy(signal);
      return;
    }
    this.#health = new AppHealth({
      ...appHealth,
      probe: (probeSignal) => app.channel.probe(probeSignal),
      clock,
      logger,
    });
    this.#assembly.appHealth.follow(this.#health);
    this.#health.onChange((healthy) => void this.#healthChanged(healthy, signal));
    this.#health.start();
  }

  /** Resolves when the app is not, or no longer, there and well; never for one without health checks that has answered. */
  unhealthy(): Promise<void> {
    if (!this.#isWell) {
      return Promise.resolve();
    }
    return new Promise((resolve) => void this.#unhealthy.push(resolve));
  }

  close(): void {
    this.#health?.close();
  }

  async #healthChanged(healthy: boolean, signal: AbortSignal): Promise<void> {
    try {
      if (healthy) {
        await this.#appIsHealthy(signal);
        return;
      }
      this.#isWell = false;
      for (const resolve of this.#unhealthy.splice(0)) {
        resolve();
      }
      const { subscriptions, inputBindings, jobTriggers } = this.#assembly;
      await Promise.all([subscriptions.stop(), inputBindings.stop(), jobTriggers.stop(), this.#leaveActors()]);
    } catch (error) {
      if (signal.aborted) {
        return;
      }
      this.#deps.logger.warn(`failed to follow the app's health: ${errorMessage(error)}`);
    }
  }

  /** What the app hosts over a stream of its own ends with the stream. */
  async #leaveActors(): Promise<void> {
    if (this.#hosted !== undefined) {
      await this.#assembly.blocks.actors.unregister(this.#hosted);
    }
  }

  async #appIsHealthy(signal: AbortSignal): Promise<void> {
    const { app, subscriptions, inputBindings, jobTriggers, blocks } = this.#assembly;
    this.#isWell = true;
    if (app === undefined) {
      return;
    }
    if (!this.#introduced) {
      this.#introduced = true;
      this.#hosted = this.#deps.actors ?? (await this.#readAppConfiguration(app.channel, signal));
    }
    signal.throwIfAborted();
    await subscriptions.start(app.channel);
    signal.throwIfAborted();
    await inputBindings.start(app.channel);
    signal.throwIfAborted();
    await jobTriggers.start(app.channel);
    signal.throwIfAborted();
    blocks.actors.register(this.#hosted);
  }

  /** Actors are what the answer is about; gRPC apps say over a stream of theirs what they host. */
  async #readAppConfiguration(channel: AppChannel, signal: AbortSignal): Promise<HostedActors | undefined> {
    const { logger } = this.#deps;
    if (channel.protocol === "grpc" || channel.protocol === "grpcs") {
      return undefined;
    }
    if (this.#options.disableInitEndpoints.includes("config")) {
      logger.info("Skipping programmatic dapr configuration loading");
      return undefined;
    }
    const { maxBodyBytes, placement } = this.#options;
    try {
      const reply = await channel.invoke({
        method: "dapr/config",
        verb: "GET",
        query: "",
        headers: ["dapr-app-id", this.#options.appId],
        origin: "http",
        contentType: "application/json",
        body: new Uint8Array(0),
        signal,
      });
      const body = await collectBody(reply.body, APP_CONFIG_BYTES_MAX);
      if (reply.status.kind !== "http" || reply.status.code !== 200) {
        return undefined;
      }
      const settings = parseHostSettings(body, placement.disseminationTimeoutMs, logger);
      logger.info("Application configuration loaded");
      this.#actorHost = new HttpActorHost(channel, maxBodyBytes);
      const mayRemember = this.#mayBeOlder && this.#deps.app === undefined;
      return { ...settings, mayRemember, host: this.#actorHost };
    } catch (error) {
      logger.debug(`failed to read the app's configuration: ${errorMessage(error)}`);
      return undefined;
    }
  }
}
