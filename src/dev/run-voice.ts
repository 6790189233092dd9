import type { UnitEvent } from "./app-unit-types.ts";
import type { SessionVoice } from "./session-voice.ts";
import type { AppPlan, ChildEnd, LineConsole, RunPlan } from "./types.ts";

/** The words of the Dapr CLI (cmd/run.go), which scripts and the quickstarts look for. */
export function createRunVoice(console: LineConsole, plan: RunPlan): SessionVoice {
  return new RunVoice(console, plan);
}

class RunVoice implements SessionVoice {
  readonly #console: LineConsole;
  readonly #isSingle: boolean;
  /** Whose sidecars are up. */
  readonly #up = new Set<string>();

  constructor(console: LineConsole, plan: RunPlan) {
    this.#console = console;
    this.#isSingle = plan.runFile === undefined && plan.apps.length === 1;
  }

  tell(app: AppPlan, event: UnitEvent): void {
    switch (event.kind) {
      case "port-taken":
        return this.#say("error", app, portTaken(event));
      case "sidecar-starting":
        return this.#sidecarStarting(app, event.ports);
      case "sidecar-up":
        return this.#sidecarUp(app);
      case "sidecar-failed":
        return this.#say("error", app, `Error starting Dapr and app (${JSON.stringify(app.appId)}): ${event.reason}`);
      case "sidecar-ended":
        this.#up.delete(app.appId);
        return this.#say("error", app, `The daprd process exited: ${event.reason}`);
      case "app-started":
        return this.#appStarted(app, event.pid, event.sidecar.ports);
      case "app-ended":
        return this.#appEnded(app, event.end, event.isAsked);
      case "state":
        return event.state === "stopped" ? this.#sidecarStopped(app) : undefined;
      case "sidecar-stopped":
      case "port-free":
      case "app-silent":
      case "app-up":
      case "restarting":
        return undefined;
    }
  }

  #sidecarStarting(app: AppPlan, { http, grpc }: { readonly http: number; readonly grpc: number }): void {
    if (!this.#isSingle) {
      this.#say("info", app, `Validating config and starting app ${JSON.stringify(app.appId)}`);
    }
    const folder = app.sidecarFlags.find((flag) => flag.startsWith("--unix-domain-socket="))?.slice(21);
    if (folder === undefined) {
      this.#say("info", app, `Starting Dapr with id ${app.appId}. HTTP Port: ${http}. gRPC Port: ${grpc}`);
      if (app.appPort === undefined) {
        this.#say("info", app, `Checking if Dapr sidecar is listening on HTTP port ${http}`);
        this.#say("info", app, `Checking if Dapr sidecar is listening on GRPC port ${grpc}`);
      }
    } else {
      const socket = (kind: string): string => `${folder}/dapr-${app.appId}-${kind}.socket`;
      this.#say(
        "info",
        app,
        `Starting Dapr with id ${app.appId}. HTTP Socket: ${socket("http")}. gRPC Socket: ${socket("grpc")}.`,
      );
    }
  }

  #sidecarStopped(app: AppPlan): void {
    if (this.#up.delete(app.appId)) {
      this.#say("success", app, "Exited Dapr successfully");
    }
  }

  #sidecarUp(app: AppPlan): void {
    this.#up.add(app.appId);
    this.#say("info", app, "Dapr sidecar is up and running.");
    if (app.command.length === 0) {
      this.#say("success", app, "You're up and running! Dapr logs will appear here.\n");
    }
  }

  #appStarted(app: AppPlan, pid: number, ports: { readonly http: number; readonly grpc: number }): void {
    if (this.#isSingle) {
      this.#say("info", app, `Updating metadata for appPID: ${pid}`);
      this.#say("info", app, `Updating metadata for app command: ${app.command.join(" ")}`);
      this.#say("success", app, "You're up and running! Both Dapr and your app logs will appear here.\n");
      return;
    }
    const id = JSON.stringify(app.appId);
    this.#say("info", app, `Started Dapr with app id ${id}. HTTP Port: ${ports.http}. gRPC Port: ${ports.grpc}`);
    if (app.appLog !== "console" || app.sidecarLog !== "console") {
      this.#say("info", app, `Writing log files to directory : ${app.logDirectory}`);
    }
  }

  #appEnded(app: AppPlan, end: ChildEnd, isAsked: boolean): void {
    if (end.code === 0 || isAsked) {
      return this.#say("success", app, "Exited App successfully");
    }
    if (end.startError !== undefined) {
      return this.#say("error", app, `Error starting app process: ${end.startError}`);
    }
    const status = end.signal === null ? `exit status ${end.code}` : `signal: ${end.signal}`;
    return this.#say("error", app, `The App process exited with error code: ${status}`);
  }

  #say(level: Parameters<LineConsole["say"]>[0], app: AppPlan, text: string): void {
    this.#console.say(level, app.appId, text);
  }
}

function portTaken({ port, use, owner }: Extract<UnitEvent, { kind: "port-taken" }>): string {
  const names = {
    app: "AppPort",
    http: "HTTPPort",
    grpc: "GRPCPort",
    internalGrpc: "InternalGRPCPort",
    metrics: "MetricsPort",
  } as const;
  const by = owner === undefined ? "" : `: ${owner} has it`;
  return `invalid configuration for ${names[use]}. Port ${port} is not available${by}`;
}
