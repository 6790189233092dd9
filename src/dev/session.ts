import { appDialer } from "../app/dial.ts";
import type { SharedScope } from "../components/spi/component.ts";
import { createSharedScope } from "../inventory/shared-scope.ts";
import { errorMessage } from "../kit/error-message.ts";
import { transportOf } from "../net/h2/implementations.ts";
import { componentEnvironment } from "../sidecar/environment.ts";
import type { SidecarDeps } from "../sidecar/types.ts";
import { RUNTIME_VERSION } from "../sidecar/version.ts";
import { createLogger } from "../telemetry/log/logger.ts";
import { appEnvironment } from "./app-environment.ts";
import { AppUnit } from "./app-unit.ts";
import type { SidecarPortName, UnitEvent, UnitOutcome, UnitSidecar, UnitWorld } from "./app-unit-types.ts";
import { startChild } from "./child-process.ts";
import { startChildSidecar } from "./child-sidecar.ts";
import { ComponentWatch } from "./component-watch.ts";
import { startLocalSidecar } from "./local-sidecar.ts";
import { startOrphanGuard } from "./orphan-guard.ts";
import { isPortFree, pickFreePort, portOwner } from "./ports.ts";
import { refusedSidecar } from "./refused-sidecar.ts";
import { tellReload } from "./reload-teller.ts";
import { PlanError } from "./run-plan-error.ts";
import { sidecarArguments } from "./sidecar-arguments.ts";
import { SidecarClient } from "./sidecar-client.ts";
import { SessionServices } from "./session-services.ts";
import { removeSessionFile, writeSessionFile } from "./session-file.ts";
import type { SessionOptions, SidecarSettings } from "./session-types.ts";
import type { SessionUnit } from "./session-unit.ts";
import { SessionWatch, type UnitReload } from "./session-watch.ts";
import type { AppPlan, Child, LineConsole, OrphanGuard, SidecarPortPlan } from "./types.ts";
import { UnitLogs } from "./unit-logs.ts";

/** Where APIs listen that were given no address: a port that is taken on loopback is taken for them too. */
const LOOPBACK = "127.0.0.1";

/** States of a unit that wait for nothing but time, or for a person. */
const SETTLED: ReadonlySet<string> = new Set(["blocked", "silent", "up", "pausing", "needs-change", "finished"]);

/** Everything that one command runs: the units of a plan and what they share. */
export class Session {
  readonly units: readonly SessionUnit[];
  /** Resolves when every app is up or it has been told what it waits for; also when the session ends before. */
  readonly settled: Promise<void>;
  readonly #options: SessionOptions;
  readonly #guard: OrphanGuard;
  readonly #shared: SharedScope = createSharedScope();
  readonly #services: SessionServices;
  readonly #takenPorts: Set<number>;
  /** What lets the unit after this one start. */
  readonly #begun = new Map<AppPlan, () => void>();
  readonly #components: ComponentWatch;
  readonly #watch: SessionWatch;
  readonly #logs: readonly UnitLogs[];
  readonly #settled = Promise.withResolvers<void>();
  #hasComplained = false;

  /** No app and no sidecar is started before `run`. @throws PlanError when a log file cannot be made */
  constructor(options: SessionOptions) {
    const { plan, clock, console, environment } = options;
    this.#options = options;
    this.settled = this.#settled.promise;
    this.#takenPorts = new Set(
      plan.apps.flatMap((app) => [app.appPort ?? 0, ...(Object.values(app.ports) as number[])]),
    );
    this.#components = new ComponentWatch({ clock, console, namespace: environment["NAMESPACE"] ?? "" });
    const startedMs = clock.now();
    const units = plan.apps.map((app) => {
      const logs = openLogs(app, console, startedMs);
      return { plan: app, logs, unit: new AppUnit(app, this.#worldOf(app, logs), options.habits) };
    });
    this.units = units;
    this.#logs = units.map(({ logs }) => logs);
    this.#services = new SessionServices(options);
    this.#watch = new SessionWatch({ ...options, onReload: (reloads) => this.#reloaded(reloads) });
    this.#guard = startOrphanGuard();
  }

  /** Runs until it is stopped or every unit has ended. Call it once. */
  async run(): Promise<readonly UnitOutcome[]> {
    try {
      if (this.#options.habits.watches) {
        await this.#watch.start(this.units);
      }
      if (this.#options.habits.separateSidecars) {
        await this.#services.openPorts();
      }
      return await Promise.all(this.#runUnits());
    } finally {
      this.#watch.close();
      this.#components.close();
      this.#settled.resolve();
      if (this.#options.dataDir !== undefined) {
        removeSessionFile(this.#options.dataDir);
      }
      await this.#services.close();
      await Promise.all(this.#logs.map((logs) => logs.close()));
      this.#guard.close();
    }
  }

  /** Ends all apps and sidecars; `run` resolves. */
  stop(): void {
    this.#watch.close();
    this.#components.close();
    for (const { unit } of this.units) {
      unit.stop();
    }
  }

  /** The same without any grace. */
  kill(): void {
    for (const { unit } of this.units) {
      unit.kill();
    }
  }

  #runUnits(): readonly Promise<UnitOutcome>[] {
    if (!this.#options.habits.startsInOrder) {
      return this.units.map(({ unit }) => unit.run());
    }
    let turn = Promise.resolve();
    return this.units.map(({ plan, unit }) => {
      const begun = Promise.withResolvers<void>();
      this.#begun.set(plan, () => begun.resolve());
      const ended = turn.then(() => unit.run());
      // A unit that ends without having begun does not keep the others waiting.
      void ended.catch(() => undefined).then(() => begun.resolve());
      turn = begun.promise;
      return ended;
    });
  }

  #worldOf(app: AppPlan, logs: UnitLogs): UnitWorld {
    const { clock, habits } = this.#options;
    const isSecure = app.appProtocol === "https" || app.appProtocol === "grpcs";
    const dial = appDialer(app.appChannelAddress, app.appPort ?? 0, isSecure);
    const never = new AbortController().signal;
    return {
      clock,
      sidecarOutlivesApp: !habits.separateSidecars,
      startSidecar: (ports) => this.#startSidecar(app, ports, logs),
      startApp: (ports, onLine) => this.#startApp(app, ports, logs, onLine),
      appListens: async () => (await dial(never)) === "there",
      isPortFree: (use, port) => isPortFree(addressOf(use, app), port),
      portOwner,
      pickPort: () => pickFreePort(this.#takenPorts),
      tell: (event) => this.#tell(app, logs, event),
    };
  }

  #startApp(
    app: AppPlan,
    ports: SidecarPortPlan,
    logs: UnitLogs,
    onLine: (stream: "stdout" | "stderr", line: string) => void,
  ): Child {
    return startChild({
      command: app.command,
      directory: app.directory,
      env: appEnvironment(app, ports, this.#options.environment),
      guard: this.#guard,
      clock: this.#options.clock,
      onLine: (stream, line) => {
        logs.app(stream, line);
        onLine(stream, line);
      },
    });
  }

  #startSidecar(app: AppPlan, ports: SidecarPortPlan, logs: UnitLogs): UnitSidecar {
    const { habits, readSidecarFlags } = this.#options;
    const args = sidecarArguments(app, ports, habits.sidecarFlags);
    let settings: SidecarSettings;
    try {
      settings = readSidecarFlags(args);
    } catch (error) {
      return refusedSidecar(ports, error);
    }
    return habits.separateSidecars
      ? this.#startChildSidecar(app, ports, logs, [...args, ...this.#services.flagsFor(settings.options)], settings)
      : this.#startLocalSidecar(app, ports, logs, settings);
  }

  #startLocalSidecar(app: AppPlan, ports: SidecarPortPlan, logs: UnitLogs, settings: SidecarSettings): UnitSidecar {
    const { clock, random, environment, hostname, utcOffset, habits, nameResolution } = this.#options;
    const { options } = settings;
    const logger = createLogger({
      appId: options.appId,
      instance: hostname,
      version: RUNTIME_VERSION,
      level: settings.logLevel,
      asJson: settings.logAsJson,
      sink: { write: (line) => logs.sidecar(line.trimEnd()), close: () => Promise.resolve() },
      clock,
      utcOffset,
    });
    const deps: SidecarDeps = {
      logger,
      clock,
      random,
      environment: componentEnvironment(options, environment),
      shared: this.#shared,
      directory: app.directory,
      transport: transportOf(settings.http2),
      nameResolution,
      services: this.#services.local,
      componentFailures: habits.keepsUp ? "keep" : "stop",
    };
    // With a watch of its own the session tells it what has changed, and a person what became of that.
    return startLocalSidecar(ports, habits.keepsUp ? { ...options, hotReload: undefined } : options, deps);
  }

  #startChildSidecar(
    app: AppPlan,
    ports: SidecarPortPlan,
    logs: UnitLogs,
    args: readonly string[],
    { options }: SidecarSettings,
  ): UnitSidecar {
    const { clock, environment, habits, sidecarProgram } = this.#options;
    const folder = options.unixDomainSocket;
    return startChildSidecar({
      ports,
      clock,
      client: new SidecarClient({
        host: LOOPBACK,
        port: ports.http,
        socketPath: folder === "" ? undefined : `${folder}/dapr-${app.appId}-http.socket`,
        apiToken: options.apiToken,
      }),
      launch: (onLine) =>
        startChild({
          command: [...sidecarProgram, ...args],
          directory: app.directory,
          env: {
            DAPR_HOST_IP: LOOPBACK,
            ...environment,
            ...(habits.keepsUp ? { OUTRIGGER_COMPONENT_FAILURES: "keep" } : {}),
          },
          guard: this.#guard,
          clock,
          onLine: (_stream, line) => {
            logs.sidecar(line);
            onLine(line);
          },
        }),
    });
  }

  #tell(app: AppPlan, logs: UnitLogs, event: UnitEvent): void {
    this.#options.voice.tell(app, event);
    if (event.kind === "sidecar-up") {
      void this.#introduce(app, logs, event.sidecar);
    } else if (event.kind === "app-started") {
      void event.sidecar.setMetadata("appPID", String(event.pid)).catch(() => undefined);
    } else if (this.#unitOf(app)?.sidecar === undefined) {
      this.#components.leave(app.appId);
    }
    if (event.kind === "app-started" || (event.kind === "sidecar-up" && app.command.length === 0)) {
      this.#begun.get(app)?.();
    }
    this.#write();
    if (this.units.every(({ unit }) => SETTLED.has(unit.state))) {
      this.#settled.resolve();
    }
  }

  /** What the Dapr CLI leaves in a sidecar's metadata, and a look at what it could not load. */
  async #introduce(app: AppPlan, logs: UnitLogs, sidecar: UnitSidecar): Promise<void> {
    const { plan, habits } = this.#options;
    const values: readonly (readonly [string, string | undefined])[] = [
      ["cliPID", String(process.pid)],
      ["appCommand", app.command.length === 0 ? undefined : app.command.join(" ")],
      ["appPID", this.#unitOf(app)?.appPid?.toString()],
      ["runTemplatePath", plan.runFile],
      ["runTemplateName", plan.runFile === undefined ? undefined : plan.name],
      ["appLogPath", logs.appPath],
      ["daprdLogPath", logs.sidecarPath],
    ];
    try {
      for (const [key, value] of values) {
        if (value !== undefined) {
          await sidecar.setMetadata(key, value);
        }
      }
      if (habits.keepsUp) {
        await this.#components.follow(app, sidecar);
      }
    } catch {
      // It has ended meanwhile, which is told elsewhere.
    }
  }

  /** Says what sidecars have taken over, then what of it they could not. */
  async #reloaded(reloads: readonly UnitReload[]): Promise<void> {
    tellReload(
      this.#options.console,
      reloads.map(({ unit, state }) => ({ appId: unit.plan.appId, changed: state?.changed ?? [] })),
    );
    for (const { unit, state } of reloads) {
      const { sidecar } = unit.unit;
      if (state !== undefined && sidecar !== undefined) {
        await this.#components.follow(unit.plan, sidecar, state.problems);
      }
    }
  }

  /** Once: it would be the same at every event. */
  #complain(text: string): void {
    if (!this.#hasComplained) {
      this.#hasComplained = true;
      this.#options.console.say("warn", undefined, text);
    }
  }

  #unitOf(app: AppPlan): AppUnit | undefined {
    return this.units.find(({ plan }) => plan === app)?.unit;
  }

  #write(): void {
    const { dataDir } = this.#options;
    if (dataDir === undefined) {
      return;
    }
    const apps = this.units.map(({ plan, unit }) => ({
      appId: plan.appId,
      appPid: unit.appPid,
      sidecarPid: unit.sidecar === undefined ? undefined : (unit.sidecar.pid ?? process.pid),
      appPort: plan.appPort,
      httpPort: unit.sidecar?.ports.http,
      grpcPort: unit.sidecar?.ports.grpc,
    }));
    try {
      writeSessionFile(dataDir, { pid: process.pid, apps });
    } catch (error) {
      this.#complain(`${dataDir}/session.json cannot be written: ${errorMessage(error)}`);
    }
  }
}

function openLogs(app: AppPlan, console: LineConsole, startedMs: number): UnitLogs {
  try {
    return new UnitLogs(app, console, startedMs);
  } catch (error) {
    throw new PlanError(`the log files of ${app.appId} cannot be made: ${errorMessage(error)}`, { cause: error });
  }
}

function addressOf(use: "app" | SidecarPortName, app: AppPlan): string {
  return use === "app" ? app.appChannelAddress : LOOPBACK;
}
