import { describe, expect, it } from "vitest";
import { silentLogger } from "../kit/silent-logger.ts";
import type { Logger } from "../kit/logger.ts";
import type { Sidecar, SidecarExit, StopReason } from "../sidecar/types.ts";
import { SidecarSupervisor } from "./sidecar-supervisor.ts";

/** A sidecar that only keeps account of its life. */
class LifeOnly {
  readonly stops: StopReason[] = [];
  readonly #done = Promise.withResolvers<SidecarExit>();
  readonly done = this.#done.promise;
  started = false;

  start(): Promise<void> {
    this.started = true;
    return Promise.resolve();
  }

  stop(reason: StopReason): Promise<void> {
    this.stops.push(reason);
    return Promise.resolve();
  }

  end(exit: SidecarExit): void {
    this.#done.resolve(exit);
  }
}

function supervise() {
  const lives: LifeOnly[] = [];
  const lines: string[] = [];
  const logger: Logger = {
    ...silentLogger,
    info: (message) => void lines.push(`info ${message}`),
    fatal: (message) => void lines.push(`fatal ${message}`),
    scope: () => logger,
  };
  const create = (): Sidecar => {
    const life = new LifeOnly();
    lives.push(life);
    return life as unknown as Sidecar;
  };
  const supervisor = new SidecarSupervisor(create, logger);
  const exitCode = supervisor.run();
  return { lives, lines, supervisor, exitCode };
}

describe("SidecarSupervisor", () => {
  it("drains at the first signal", async () => {
    const { lives, lines, supervisor, exitCode } = supervise();
    supervisor.stopOrForce("terminated");
    expect(lives[0]).toMatchObject({ started: true, stops: ["signal"] });
    lives[0]?.end({ exitCode: 0 });
    expect(await exitCode).toBe(0);
    expect(lines).toEqual(["info Received signal 'terminated'; beginning shutdown", "info Daprd shutdown gracefully"]);
  });

  it("exits at once with 1 at the second signal, although nothing has drained", async () => {
    const { lines, supervisor, exitCode } = supervise();
    supervisor.stopOrForce("interrupt");
    supervisor.stopOrForce("interrupt");
    expect(await exitCode).toBe(1);
    expect(lines.at(-1)).toBe("fatal Received signal 'interrupt' during shutdown; exiting immediately");
  });

  it("starts a new sidecar after a hangup", async () => {
    const { lives, supervisor, exitCode } = supervise();
    supervisor.restart("hangup");
    expect(lives[0]?.stops).toEqual(["host"]);
    lives[0]?.end({ exitCode: 0 });
    await new Promise((resolve) => setImmediate(resolve));
    expect(lives).toHaveLength(2);
    expect(lives[1]).toMatchObject({ started: true, stops: [] });
    lives[1]?.end({ exitCode: 0 });
    expect(await exitCode).toBe(0);
  });

  it("does not start again when a signal to stop comes after the hangup, or when the stop failed", async () => {
    const stopped = supervise();
    stopped.supervisor.restart("hangup");
    stopped.supervisor.stopOrForce("terminated");
    stopped.lives[0]?.end({ exitCode: 0 });
    expect(await stopped.exitCode).toBe(0);
    const failed = supervise();
    failed.supervisor.restart("hangup");
    failed.lives[0]?.end({ exitCode: 1 });
    expect(await failed.exitCode).toBe(1);
    expect([stopped.lives.length, failed.lives.length]).toEqual([1, 1]);
  });

  it("ignores a hangup while it stops", () => {
    const { lives, supervisor } = supervise();
    supervisor.stopOrForce("terminated");
    supervisor.restart("hangup");
    expect(lives[0]?.stops).toEqual(["signal"]);
  });

  it("ends with the sidecar, telling what ended it", async () => {
    const { lives, lines, exitCode } = supervise();
    lives[0]?.end({ exitCode: 1, error: new Error("could not listen on any endpoint") });
    expect(await exitCode).toBe(1);
    expect(lines).toEqual(["fatal Fatal error from runtime: could not listen on any endpoint"]);
  });

  it("ends with 1 and the stack at an exception that nobody caught", async () => {
    const { lines, supervisor, exitCode } = supervise();
    supervisor.fail(new Error("a bug"));
    expect(await exitCode).toBe(1);
    expect(lines[0]).toMatch(/^fatal uncaught exception: Error: a bug\n\s+at /);
  });
});
