import type { AppChannel, SubscriptionSpec } from "../../app/types.ts";
import { errorMessage } from "../../kit/error-message.ts";
import type { Logger } from "../../kit/logger.ts";
import { compileRoute } from "./routing.ts";

/** The subscriptions that an app names itself, asked for once. */
export class ProgrammaticSubscriptions {
  readonly #enabled: boolean;
  readonly #logger: Logger;
  /** Undefined until the app has been asked. */
  #specs: readonly SubscriptionSpec[] | undefined;
  #failure: string | undefined;

  /** @param enabled false: `--disable-init-endpoints subscribe` */
  constructor(enabled: boolean, logger: Logger) {
    this.#enabled = enabled;
    this.#logger = logger;
  }

  get known(): boolean {
    return this.#specs !== undefined;
  }

  get specs(): readonly SubscriptionSpec[] {
    return this.#specs ?? [];
  }

  /** Why the app has not said. */
  get failure(): string | undefined {
    return this.#failure;
  }

  /** Asks the app, unless it has answered before. True: it has answered just now. */
  async ask(channel: AppChannel, signal: AbortSignal): Promise<boolean> {
    if (this.#specs !== undefined) {
      return false;
    }
    if (!this.#enabled) {
      this.#logger.warn("Skipping programmatic subscription loading (see 'disable-init-endpoints' flag/annotation)");
      this.#specs = [];
      return false;
    }
    try {
      const specs = await channel.listSubscriptions(signal);
      for (const spec of specs) {
        await compileRoute(spec.rules);
      }
      this.#specs = specs;
      this.#failure = undefined;
      this.#logTopics(specs);
      return true;
    } catch (error) {
      this.#failure = errorMessage(error);
      this.#logger.warn(`failed to subscribe to topics: ${errorMessage(error)} `);
      return false;
    }
  }

  forget(): void {
    this.#specs = undefined;
    this.#failure = undefined;
  }

  #logTopics(specs: readonly SubscriptionSpec[]): void {
    const topics = Map.groupBy(specs, (spec) => spec.pubsubName);
    for (const [pubsub, group] of topics) {
      const names = group.map((spec) => spec.topic).join(" ");
      this.#logger.info(`app is subscribed to the following topics: [[${names}]] through pubsub=${pubsub}`);
    }
  }
}
