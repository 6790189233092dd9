import type { AppEndedEvent, SidecarPortName, UnitEvent } from "./app-unit-types.ts";
import type { SessionVoice } from "./session-voice.ts";
import type { AppPlan, ChildEnd, LineConsole, RunPlan } from "./types.ts";

/** What the ports of a sidecar are for, and the run file's keys for them. */
const PORTS: Readonly<Record<SidecarPortName, readonly [use: string, key: string]>> = {
  http: ["HTTP API", "daprHTTPPort"],
  grpc: ["gRPC API", "daprGRPCPort"],
  internalGrpc: ["calls between sidecars", "daprInternalGRPCPort"],
  metrics: ["metrics", "metricsPort"],
};

/** What keeps an app from being up, or ends that. */
const TROUBLE: ReadonlySet<UnitEvent["kind"]> = new Set([
  "port-taken",
  "sidecar-failed",
  "sidecar-ended",
  "app-silent",
  "app-ended",
  "restarting",
]);

/** Paths named in one message. */
const PATHS_MAX = 3;

/** The words of `outrigger dev`: what happened, to whom, and what to do about it. */
export function createDevVoice(console: LineConsole, plan: RunPlan): SessionVoice {
  return new DevVoice(console, plan);
}

class DevVoice implements SessionVoice {
  readonly #console: LineConsole;
  readonly #runFile: string;
  /** Apps of which something was told since they were last up. */
  readonly #troubled = new Set<string>();
  /** Whose sidecar failed first with a reason. */
  readonly #failures = new Map<string, string>();

  constructor(console: LineConsole, plan: RunPlan) {
    this.#console = console;
    this.#runFile = plan.runFile ?? "a dapr.yaml";
  }

  tell(app: AppPlan, event: UnitEvent): void {
    const { appId } = app;
    if (TROUBLE.has(event.kind)) {
      this.#troubled.add(appId);
    }
    switch (event.kind) {
      case "port-taken":
        return this.#console.say("error", appId, this.#portTaken(app, event));
      case "port-free":
        return this.#console.say("info", appId, `port ${event.port} is free now`);
      case "sidecar-failed":
        return this.#sidecarFailed(appId, event.reason);
      case "sidecar-up":
        return this.#forgetFailures(appId);
      case "sidecar-ended":
        return this.#console.say(
          "warn",
          appId,
          `its sidecar has ended: ${event.reason}. It starts again in ${seconds(event.retryMs ?? 0)}.`,
        );
      case "app-silent":
        return this.#console.say("warn", appId, this.#silent(app, event.port, event.waitedMs));
      case "app-ended":
        return this.#appEnded(app, event);
      case "restarting":
        return this.#console.say("info", appId, restarting(app, event.what, event.paths));
      case "app-up":
        return this.#troubled.delete(appId) ? this.#console.say("success", appId, `${appId} is up`) : undefined;
      case "state":
      case "sidecar-starting":
      case "sidecar-stopped":
      case "app-started":
        return undefined;
    }
  }

  #portTaken(app: AppPlan, { port, use, owner }: Extract<UnitEvent, { kind: "port-taken" }>): string {
    const by = owner === undefined ? "another process" : owner;
    if (use === "app") {
      return (
        `port ${port}, on which ${app.appId} is to listen, is taken by ${by}: it is not started.\n` +
        `Fix: end that process, or give the app another port (appPort in ${this.#runFile}, and where the app itself says it). Looking again every second.`
      );
    }
    const [what, key] = PORTS[use];
    return (
      `port ${port} of the sidecar of ${app.appId} (${what}) is taken by ${by}: neither it nor the app is started.\n` +
      `Fix: end that process, or change ${key} in ${this.#runFile} (without it a free port is taken). Looking again every second.`
    );
  }

  /** A reason is told in full once, and not again for the same app. */
  #sidecarFailed(appId: string, reason: string): void {
    const first = this.#failures.get(reason);
    if (first === undefined) {
      this.#failures.set(reason, appId);
      this.#console.say(
        "error",
        appId,
        `its sidecar does not start: ${reason}\nIt is tried again, and at once when its resources or its Configuration change.`,
      );
    } else if (first !== appId && !this.#failures.has(`${appId} ${reason}`)) {
      this.#failures.set(`${appId} ${reason}`, appId);
      this.#console.say("error", appId, `its sidecar does not start, for the reason told for ${first}`);
    }
  }

  #forgetFailures(appId: string): void {
    for (const [reason, owner] of this.#failures) {
      if (owner === appId) {
        this.#failures.delete(reason);
      }
    }
  }

  #silent(app: AppPlan, port: number, waitedMs: number): string {
    const who = app.command.length === 0 ? "nobody listens" : `${app.appId} runs, but does not listen`;
    return (
      `${who} on ${app.appChannelAddress}:${port} after ${seconds(waitedMs)}; still waiting, and nothing is delivered to it until then.\n` +
      `Fix: let it listen there (the environment variable APP_PORT says the port), or correct appPort in ${this.#runFile}.`
    );
  }

  #appEnded(app: AppPlan, { end, lastLines, next, pauseMs }: AppEndedEvent): void {
    const { appId, directory } = app;
    switch (next) {
      case "end":
        return undefined;
      case "finished":
        return this.#console.say("info", appId, `${appId} has finished; a change in ${directory} starts it again`);
      case "restart":
        return this.#console.say("warn", appId, `${appId} ${endText(end)}; it starts again in ${seconds(pauseMs)}`);
      case "change":
        return this.#console.say("error", appId, this.#broken(app, end, lastLines));
    }
  }

  /** An app that fails before it is up would only fail again. */
  #broken({ appId, directory }: AppPlan, end: ChildEnd, lastLines: readonly string[]): string {
    if (end.startError !== undefined) {
      return `${end.startError}.\nFix: correct the command of ${appId} in ${this.#runFile}, then start outrigger dev again.`;
    }
    const said = lastLines.length === 0 ? "" : `Its last words:\n${lastLines.map((line) => `  ${line}`).join("\n")}\n`;
    return (
      `${appId} ${endText(end)} before it was up.\n${said}` +
      `Fix: correct what it says; it starts again when a file in ${directory} changes.`
    );
  }
}

/** How a process ended, as the end of a sentence about it. */
function endText({ code, signal, startError }: ChildEnd): string {
  if (startError !== undefined) {
    return `was not started: ${startError}`;
  }
  return signal === null ? `ended with exit code ${code}` : `was ended by ${signal}`;
}

function restarting(app: AppPlan, what: "app" | "sidecar", paths: readonly string[]): string {
  const names = paths.slice(0, PATHS_MAX).map((path) => path.replace(`${app.directory}/`, ""));
  const more = paths.length > PATHS_MAX ? ` and ${paths.length - PATHS_MAX} more` : "";
  return `${names.join(", ")}${more} changed: ${what === "app" ? app.appId : "its sidecar"} starts again`;
}

function seconds(ms: number): string {
  return `${Math.round(ms / 1_000)} s`;
}
