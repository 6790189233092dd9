import { errorMessage } from "../kit/error-message.ts";
import type { Logger } from "../kit/logger.ts";
import type { Sidecar } from "../sidecar/types.ts";

/**
 * Runs sidecars one after another in one process: the first signal to stop drains the sidecar, the second ends the
 * process at once, a hangup stops the sidecar and starts a new one, an exception nobody caught ends it all.
 */
export class SidecarSupervisor {
  readonly #create: () => Sidecar;
  readonly #logger: Logger;
  readonly #signals: Logger;
  readonly #forced = Promise.withResolvers<number>();
  #current: Sidecar | undefined;
  #stopAsked = false;
  #restartAsked = false;

  constructor(create: () => Sidecar, logger: Logger) {
    this.#create = create;
    this.#logger = logger;
    this.#signals = logger.scope("dapr.signals");
  }

  /** Resolves to the exit code. Call it once. */
  run(): Promise<number> {
    return Promise.race([this.#runAll(), this.#forced.promise]);
  }

  /** @param signal its name as Go writes it */
  stopOrForce(signal: string): void {
    if (this.#stopAsked) {
      this.#signals.fatal(`Received signal '${signal}' during shutdown; exiting immediately`);
      this.#forced.resolve(1);
      return;
    }
    this.#stopAsked = true;
    this.#signals.info(`Received signal '${signal}'; beginning shutdown`);
    void this.#current?.stop("signal");
  }

  restart(signal: string): void {
    if (!this.#stopAsked) {
      this.#restartAsked = true;
      this.#signals.info(`Received signal '${signal}'; restarting`);
      void this.#current?.stop("host");
    }
  }

  /** Nothing is known about the state after an exception that nobody caught, so nothing is drained. */
  fail(error: unknown): void {
    this.#logger.fatal(
      `uncaught exception: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
    );
    this.#forced.resolve(1);
  }

  async #runAll(): Promise<number> {
    for (;;) {
      const exitCode = await this.#runOne();
      if (exitCode !== 0 || this.#stopAsked || !this.#restartAsked) {
        if (exitCode === 0) {
          this.#logger.info("Daprd shutdown gracefully");
        }
        return exitCode;
      }
      this.#restartAsked = false;
    }
  }

  async #runOne(): Promise<number> {
    const sidecar = this.#create();
    this.#current = sidecar;
    // What keeps it from starting arrives through `done` as well.
    sidecar.start().catch(() => undefined);
    const exit = await sidecar.done;
    if (exit.error !== undefined) {
      this.#logger.fatal(`Fatal error from runtime: ${errorMessage(exit.error)}`);
    }
    return exit.exitCode;
  }
}
