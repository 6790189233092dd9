import type { ReloadState } from "../inventory/types.ts";
import { errorMessage } from "../kit/error-message.ts";
import { sleep } from "../kit/clock.ts";
import { Backoff } from "./backoff.ts";
import type { UnitSidecar, UnitState, UnitWorld } from "./app-unit-types.ts";
import type { SidecarPortPlan } from "./types.ts";
import { untilAborted } from "./until-aborted.ts";

export interface SidecarKeeperOptions {
  readonly world: Pick<UnitWorld, "clock" | "startSidecar" | "tell">;
  /** Whether one that fails or ends is tried again. */
  readonly keepsUp: boolean;
  /** Resolves to the ports of the next one when they are free. */
  claimPorts(signal: AbortSignal): Promise<SidecarPortPlan>;
  enter(state: UnitState): void;
  onLost(loss: SidecarLoss): void;
}

/** A sidecar did not start, or has ended unasked. */
export interface SidecarLoss {
  readonly reason: string;
  readonly hadStarted: boolean;
  /** `bringUp` is to be called again. */
  readonly isTriedAgain: boolean;
}

/** A sidecar that comes up or is up. */
interface Kept {
  readonly handle: UnitSidecar;
  upMs: number | undefined;
  /** Settles with the wait for the app that runs. */
  attended: Promise<void> | undefined;
}

/** The sidecars of one unit, one after the other. */
export class SidecarKeeper {
  readonly #options: SidecarKeeperOptions;
  readonly #backoff = new Backoff();
  readonly #stopping = new Set<UnitSidecar>();
  #kept: Kept | undefined;
  #notBeforeMs = 0;

  constructor(options: SidecarKeeperOptions) {
    this.#options = options;
  }

  /** The one that comes up or is up. */
  get handle(): UnitSidecar | undefined {
    return this.#kept?.handle;
  }

  /** Resolves when its APIs are open. @throws the signal's reason when that fires, and after every `onLost` */
  async bringUp(signal: AbortSignal): Promise<UnitSidecar> {
    const kept = this.#kept ?? (await this.#start(signal));
    if (kept.upMs !== undefined) {
      return kept.handle;
    }
    try {
      await untilAborted(kept.handle.started, signal);
    } catch (error) {
      signal.throwIfAborted();
      await this.#failed(kept, errorMessage(error), signal);
      throw error;
    }
    kept.upMs = this.#nowMs();
    void kept.handle.ended.then((reason) => this.#ended(kept, reason));
    this.#options.world.tell({ kind: "sidecar-up", sidecar: kept.handle });
    return kept.handle;
  }

  /** Resolves when the sidecar has found the app that runs, and has subscribed for it. */
  async attend(signal: AbortSignal): Promise<void> {
    const kept = this.#kept;
    if (kept !== undefined) {
      kept.attended ??= kept.handle.attend();
      await untilAborted(kept.attended, signal);
    }
  }

  /** Begins to wait for the app, so that it is found as soon as it is there. */
  expectApp(): void {
    const kept = this.#kept;
    if (kept !== undefined) {
      kept.attended ??= kept.handle.attend();
    }
  }

  /** The app has ended. */
  appLeft(): void {
    if (this.#kept !== undefined) {
      this.#kept.attended = undefined;
      void this.#kept.handle.appLeft();
    }
  }

  /** Has the one that is up take changed resources over. Undefined where none is, and where that one cannot. */
  async reload(): Promise<ReloadState | undefined> {
    const kept = this.#kept;
    return kept?.upMs === undefined ? undefined : await kept.handle.reload().catch(() => undefined);
  }

  /** Earlier failures say nothing about the next attempt. */
  retryNow(): void {
    this.#backoff.reset();
    this.#notBeforeMs = 0;
  }

  async stop(graceMs: number): Promise<void> {
    const handle = this.#kept?.handle;
    this.#kept = undefined;
    if (handle !== undefined) {
      this.#stopping.add(handle);
      await handle.stop(graceMs);
      this.#stopping.delete(handle);
    }
  }

  /** Shortens the grace of those that are being stopped. */
  hurry(graceMs: number): void {
    for (const handle of this.#stopping) {
      void handle.stop(graceMs);
    }
  }

  async #start(signal: AbortSignal): Promise<Kept> {
    const { world, enter, claimPorts } = this.#options;
    const pauseMs = this.#notBeforeMs - this.#nowMs();
    if (pauseMs > 0) {
      enter("pausing");
      await sleep(world.clock, pauseMs, signal);
    }
    enter("preparing");
    const ports = await claimPorts(signal);
    enter("preparing");
    world.tell({ kind: "sidecar-starting", ports });
    const kept = { handle: world.startSidecar(ports), upMs: undefined, attended: undefined };
    this.#kept = kept;
    return kept;
  }

  async #failed(kept: Kept, reason: string, signal: AbortSignal): Promise<void> {
    this.#kept = undefined;
    await kept.handle.stop(0);
    signal.throwIfAborted();
    const retryMs = this.#nextPause(0);
    this.#options.world.tell({ kind: "sidecar-failed", reason, retryMs });
    this.#options.onLost({ reason, hadStarted: false, isTriedAgain: retryMs !== undefined });
  }

  #ended(kept: Kept, reason: string): void {
    // One that was asked to stop is kept no longer.
    if (this.#kept !== kept) {
      return;
    }
    this.#kept = undefined;
    const retryMs = this.#nextPause(this.#nowMs() - (kept.upMs ?? 0));
    this.#options.world.tell({ kind: "sidecar-ended", reason, retryMs });
    this.#options.onLost({ reason, hadStarted: true, isTriedAgain: retryMs !== undefined });
  }

  #nextPause(upMs: number): number | undefined {
    if (!this.#options.keepsUp) {
      return undefined;
    }
    const pauseMs = this.#backoff.next(upMs);
    this.#notBeforeMs = this.#nowMs() + pauseMs;
    return pauseMs;
  }

  #nowMs(): number {
    return this.#options.world.clock.monotonicMs();
  }
}
