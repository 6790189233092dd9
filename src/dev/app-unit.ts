import type { ReloadState } from "../inventory/types.ts";
import { sleep } from "../kit/clock.ts";
import { Backoff } from "./backoff.ts";
import type { UnitHabits, UnitOutcome, UnitPlan, UnitSidecar, UnitState, UnitWorld } from "./app-unit-types.ts";
import { endedBySignal, RunningApp } from "./running-app.ts";
import { SidecarKeeper, type SidecarLoss } from "./sidecar-keeper.ts";
import { UnitPorts } from "./unit-ports.ts";
import type { ChildEnd, SidecarPortPlan } from "./types.ts";
import { untilAborted } from "./until-aborted.ts";

/** An app that does not listen is told of after this time; an app without a port is up when it lives this long. */
export const SILENT_MS = 5_000;
export const UP_WITHOUT_PORT_MS = 2_000;
const DIAL_INTERVAL_MS = 100;

/** Milliseconds that deliveries under way get when a sidecar is started anew, which nobody sits and waits for. */
const RESTART_GRACE_MS = 5_000;

/**
 * One app with its sidecar. What happens (an end, a change, a request) only changes what is wanted and wakes the unit,
 * which then brings the world in line with it, one step after the other, until it is woken again.
 */
export class AppUnit {
  readonly #plan: UnitPlan;
  readonly #world: UnitWorld;
  readonly #habits: UnitHabits;
  readonly #ports: UnitPorts;
  readonly #appBackoff = new Backoff();
  readonly #sidecars: SidecarKeeper;
  #state: UnitState = "preparing";
  #cycle = new AbortController();
  #app: RunningApp | undefined;
  /** Why no app is to be started. */
  #hold: "needs-change" | "finished" | undefined;
  #appNotBeforeMs = 0;
  #isAppStale = false;
  #isSidecarStale = false;
  #isStopAsked = false;
  #isKilled = false;
  #outcome: UnitOutcome = { app: undefined, failure: undefined };

  constructor(plan: UnitPlan, world: UnitWorld, habits: UnitHabits) {
    this.#plan = plan;
    this.#world = world;
    this.#habits = habits;
    this.#ports = new UnitPorts(plan.ports, world, (port) => this.#portIsTaken(port));
    this.#sidecars = new SidecarKeeper({
      world,
      keepsUp: habits.keepsUp,
      claimPorts: (signal) => this.#claimPorts(signal),
      enter: (state) => this.#enter(state),
      onLost: (loss) => this.#sidecarLost(loss),
    });
  }

  get state(): UnitState {
    return this.#state;
  }

  get appPid(): number | undefined {
    return this.#app?.child.pid;
  }

  get sidecar(): UnitSidecar | undefined {
    return this.#sidecars.handle;
  }

  /** Runs until it is stopped, or, where it does not keep up, until its app or its sidecar has ended. Call it once. */
  async run(): Promise<UnitOutcome> {
    while (!this.#isStopAsked) {
      const cycle = new AbortController();
      this.#cycle = cycle;
      try {
        await this.#align(cycle.signal);
        await untilAborted(new Promise<never>(() => undefined), cycle.signal);
      } catch (error) {
        if (!cycle.signal.aborted) {
          throw error;
        }
      }
    }
    this.#enter("stopping");
    await this.#stopApp();
    await this.#sidecars.stop(this.#sidecarGraceMs());
    this.#enter("stopped");
    return this.#outcome;
  }

  /** Ends the app, then its sidecar; `run` resolves. */
  stop(): void {
    this.#isStopAsked = true;
    this.#sidecars.hurry(this.#sidecarGraceMs());
    this.#wake();
  }

  /** The same without any grace. */
  kill(): void {
    this.#isKilled = true;
    this.stop();
    void this.#app?.child.stop(0);
    void this.#sidecars.handle?.stop(0);
  }

  /** The app's source has changed: it is started anew, also one that had failed or finished. */
  sourceChanged(paths: readonly string[]): void {
    if (this.#plan.command.length === 0 || this.#isStopAsked) {
      return;
    }
    this.#world.tell({ kind: "restarting", what: "app", paths });
    this.#isAppStale = true;
    this.#wake();
  }

  /**
   * Resources have changed, in these folders: the sidecar takes them over as it runs. One that is not up, or cannot,
   * starts anew; that is told, and there is no state to give.
   */
  async resourcesChanged(paths: readonly string[]): Promise<ReloadState | undefined> {
    const state = this.#isSidecarStale || this.#isStopAsked ? undefined : await this.#sidecars.reload();
    if (state === undefined) {
      this.restartSidecar(paths);
    } else if (state.changed.length > 0 && this.#hold === "needs-change") {
      // What the app has failed for may be there now.
      this.#hold = undefined;
      this.#wake();
    }
    return state;
  }

  /** These files have changed, which a sidecar reads at its start only: it is started anew on the ports it has. */
  restartSidecar(paths: readonly string[]): void {
    const isGone = this.#hold === "finished" && this.#sidecars.handle === undefined;
    if (this.#isStopAsked || isGone) {
      return;
    }
    this.#world.tell({ kind: "restarting", what: "sidecar", paths });
    this.#isSidecarStale = true;
    this.#sidecars.retryNow();
    if (this.#hold === "needs-change") {
      this.#hold = undefined;
    }
    this.#wake();
  }

  #sidecarGraceMs(): number {
    return this.#isKilled ? 0 : this.#habits.sidecarGraceMs;
  }

  #wake(): void {
    this.#cycle.abort(new Error("the unit has something else to do"));
  }

  #enter(state: UnitState): void {
    if (this.#state !== state) {
      this.#state = state;
      this.#world.tell({ kind: "state", state });
    }
  }

  /** Brings the world in line with what is wanted, or throws when the unit was woken meanwhile. */
  async #align(signal: AbortSignal): Promise<void> {
    if (this.#isAppStale) {
      this.#isAppStale = false;
      this.#hold = undefined;
      this.#appNotBeforeMs = 0;
      this.#appBackoff.reset();
      await this.#stopApp();
    }
    if (this.#isSidecarStale) {
      this.#isSidecarStale = false;
      await this.#sidecars.stop(RESTART_GRACE_MS);
      this.#world.tell({ kind: "sidecar-stopped" });
    }
    signal.throwIfAborted();
    if (this.#hold !== undefined && this.#app === undefined && !this.#world.sidecarOutlivesApp) {
      return;
    }
    const sidecar = await this.#sidecars.bringUp(signal);
    if (this.#plan.command.length > 0 && this.#app === undefined) {
      if (this.#hold !== undefined) {
        this.#enter(this.#hold);
        return;
      }
      await this.#startApp(sidecar, signal);
    }
    await this.#awaitUp(signal);
  }

  /** A sidecar takes whoever listens on the app's port for the app, and would deliver to a stranger. */
  async #claimPorts(signal: AbortSignal): Promise<SidecarPortPlan> {
    await this.#awaitAppPort(signal);
    return await this.#ports.claim(signal);
  }

  #sidecarLost({ reason, isTriedAgain, hadStarted }: SidecarLoss): void {
    if (!isTriedAgain) {
      this.#outcome = { ...this.#outcome, failure: reason };
      this.stop();
      return;
    }
    if (!hadStarted && this.#app === undefined) {
      this.#ports.forgetPicked();
    }
    // An app that fails without its sidecar comes back with it.
    if (this.#hold === "needs-change") {
      this.#hold = undefined;
    }
    this.#wake();
  }

  #portIsTaken(port: number): void {
    this.#enter("blocked");
    if (!this.#habits.keepsUp) {
      this.#outcome = { ...this.#outcome, failure: `port ${port} is taken` };
      this.stop();
    }
  }

  async #startApp(sidecar: UnitSidecar, signal: AbortSignal): Promise<void> {
    await this.#pauseUntil(this.#appNotBeforeMs, signal);
    await this.#awaitAppPort(signal);
    this.#enter("starting");
    const app = new RunningApp(this.#nowMs(), (onLine) => this.#world.startApp(sidecar.ports, onLine));
    this.#app = app;
    void app.child.ended.then((end) => this.#appEnded(app, end));
    if (app.child.pid !== undefined) {
      this.#world.tell({ kind: "app-started", pid: app.child.pid, sidecar });
    }
  }

  async #awaitAppPort(signal: AbortSignal): Promise<void> {
    const { appPort, command } = this.#plan;
    if (appPort !== undefined && command.length > 0 && this.#app === undefined) {
      await this.#ports.awaitFree("app", appPort, signal);
    }
  }

  #appEnded(app: RunningApp, end: ChildEnd): void {
    if (this.#app !== app) {
      return;
    }
    this.#app = undefined;
    const next = this.#isStopAsked ? "end" : this.#nextAfter(app, end);
    const pauseMs = next === "restart" ? this.#appBackoff.next(this.#nowMs() - (app.upMs ?? this.#nowMs())) : 0;
    this.#outcome = { ...this.#outcome, app: end };
    const { lastLines } = app;
    const cameUp = app.upMs !== undefined;
    const isAsked = this.#isStopAsked;
    this.#world.tell({ kind: "app-ended", end, isAsked, cameUp, lastLines, next, pauseMs });
    this.#appNotBeforeMs = this.#nowMs() + pauseMs;
    this.#hold = next === "change" ? "needs-change" : next === "finished" ? "finished" : undefined;
    this.#appIsAway();
    if (next === "end") {
      this.stop();
    } else {
      this.#enter(this.#hold ?? "pausing");
      this.#wake();
    }
  }

  #nextAfter(app: RunningApp, end: ChildEnd): "restart" | "change" | "finished" | "end" {
    if (!this.#habits.keepsUp) {
      return "end";
    }
    if (end.code === 0) {
      return "finished";
    }
    return app.upMs !== undefined || endedBySignal(end) ? "restart" : "change";
  }

  #appIsAway(): void {
    if (this.#world.sidecarOutlivesApp) {
      this.#sidecars.appLeft();
    } else {
      this.#isSidecarStale = true;
    }
  }

  async #awaitUp(signal: AbortSignal): Promise<void> {
    this.#sidecars.expectApp();
    const app = this.#app;
    const { appPort } = this.#plan;
    if (appPort !== undefined) {
      await this.#awaitListening(appPort, app, signal);
    } else if (app !== undefined) {
      await this.#pause(app.startedMs + UP_WITHOUT_PORT_MS - this.#nowMs(), signal);
    }
    if (app !== undefined) {
      app.upMs ??= this.#nowMs();
    }
    await this.#sidecars.attend(signal);
    if (this.#state !== "up") {
      this.#enter("up");
      this.#world.tell({ kind: "app-up" });
    }
  }

  async #awaitListening(port: number, app: RunningApp | undefined, signal: AbortSignal): Promise<void> {
    const sinceMs = app?.startedMs ?? this.#nowMs();
    let isTold = app?.isTold ?? false;
    while (!(await untilAborted(this.#world.appListens(), signal))) {
      const waitedMs = this.#nowMs() - sinceMs;
      if (!isTold && waitedMs >= SILENT_MS) {
        isTold = true;
        if (app !== undefined) {
          app.isTold = true;
        }
        this.#enter("silent");
        this.#world.tell({ kind: "app-silent", port, waitedMs });
      }
      await this.#pause(DIAL_INTERVAL_MS, signal);
    }
  }

  async #stopApp(): Promise<void> {
    const app = this.#app;
    if (app === undefined) {
      return;
    }
    if (this.#isStopAsked) {
      await app.child.stop(this.#isKilled ? 0 : this.#habits.appGraceMs);
      this.#sidecars.appLeft();
      return;
    }
    this.#app = undefined;
    await app.child.stop(this.#habits.appGraceMs);
    this.#appIsAway();
  }

  async #pauseUntil(timeMs: number, signal: AbortSignal): Promise<void> {
    if (timeMs > this.#nowMs()) {
      this.#enter("pausing");
      await this.#pause(timeMs - this.#nowMs(), signal);
    }
  }

  async #pause(ms: number, signal: AbortSignal): Promise<void> {
    if (ms > 0) {
      await sleep(this.#world.clock, ms, signal);
    }
  }

  #nowMs(): number {
    return this.#world.clock.monotonicMs();
  }
}
