import type { Clock } from "../kit/clock.ts";
import { errorMessage } from "../kit/error-message.ts";
import { createSidecar } from "../sidecar/sidecar.ts";
import type { SidecarOptions } from "../sidecar/options.ts";
import type { Sidecar, SidecarDeps } from "../sidecar/types.ts";
import type { UnitSidecar } from "./app-unit-types.ts";
import type { SidecarPortPlan } from "./types.ts";

/** Starts a sidecar in this process. It drains as long as its options say; graces of `stop` end the wait for that. */
export function startLocalSidecar(ports: SidecarPortPlan, options: SidecarOptions, deps: SidecarDeps): UnitSidecar {
  return new LocalSidecar(ports, createSidecar(options, deps), deps.clock);
}

class LocalSidecar implements UnitSidecar {
  readonly ports: SidecarPortPlan;
  readonly pid = undefined;
  readonly started: Promise<void>;
  readonly ended: Promise<string>;
  readonly #sidecar: Sidecar;
  readonly #clock: Clock;
  readonly #stopped = Promise.withResolvers<void>();
  #isAppAway = false;

  constructor(ports: SidecarPortPlan, sidecar: Sidecar, clock: Clock) {
    this.ports = ports;
    this.#sidecar = sidecar;
    this.#clock = clock;
    this.started = sidecar.start();
    this.started.catch(() => undefined);
    this.ended = sidecar.done.then(({ exitCode, error }) =>
      error === undefined ? `it was shut down with exit code ${exitCode}` : errorMessage(error),
    );
  }

  async attend(): Promise<void> {
    if (this.#isAppAway) {
      this.#isAppAway = false;
      await this.#sidecar.appReturned();
      return;
    }
    // It stops before it is ready when somebody stops it, who hears of that by `ended`.
    await this.#sidecar.ready.catch(() => undefined);
  }

  async appLeft(): Promise<void> {
    this.#isAppAway = true;
    await this.#sidecar.appLeft();
  }

  async setMetadata(key: string, value: string): Promise<void> {
    this.#sidecar.blocks.control.setMetadata(key, value);
  }

  async conditions(): ReturnType<UnitSidecar["conditions"]> {
    return this.#sidecar.blocks.components.conditions();
  }

  async subscriptions(): ReturnType<UnitSidecar["subscriptions"]> {
    return this.#sidecar.blocks.subscriptions.conditions();
  }

  async reload(): ReturnType<UnitSidecar["reload"]> {
    return await this.#sidecar.reload();
  }

  async stop(graceMs: number): Promise<void> {
    const timer = this.#clock.after(graceMs, () => this.#stopped.resolve());
    void this.#sidecar.stop("host").then(() => this.#stopped.resolve());
    await this.#stopped.promise;
    timer.cancel();
  }
}
