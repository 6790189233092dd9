import { expect, it } from "vitest";
import { Cancellation } from "../../kit/cancel-signal.ts";
import { silentLogger } from "../../kit/silent-logger.ts";
import { VirtualClock } from "../../kit/virtual-clock.fixture.ts";
import { systemRandom } from "../../kit/random.ts";
import { createH2Transport } from "../../net/h2/protocol/transport.ts";
import type { LeveledLogger } from "../../telemetry/log/logger.ts";
import { runRole } from "./run-role.ts";
import type { RoleDeps, RoleSettings, StartRole } from "./types.ts";

const SETTINGS: RoleSettings = {
  healthPort: 0,
  healthListenAddress: "127.0.0.1",
  metricsEnabled: false,
  metricsPort: 0,
  metricsListenAddress: "127.0.0.1",
};

function deps(): RoleDeps {
  return {
    logger: silentLogger as LeveledLogger,
    clock: new VirtualClock(),
    random: systemRandom,
    transport: createH2Transport(),
  };
}

/** A role that writes down what happens to it. */
function role(failed: Promise<never> = new Promise<never>(() => undefined)) {
  const did: string[] = [];
  const start: StartRole = () => {
    did.push("started");
    return Promise.resolve({
      failed,
      stop: () => {
        did.push("stopped");
        return Promise.resolve();
      },
    });
  };
  return { did, start };
}

it("runs until it is asked to stop", async () => {
  const stop = new Cancellation();
  const { did, start } = role();
  const running = runRole(SETTINGS, deps(), start, stop);
  stop.abort(new Error("signal"));
  await running;
  expect(did).toEqual(["started", "stopped"]);
});

it("stops what fails from inside, and says why", async () => {
  const { did, start } = role(Promise.reject(new Error("lost the disk")));
  await expect(runRole(SETTINGS, deps(), start, new Cancellation())).rejects.toThrow("lost the disk");
  expect(did).toEqual(["started", "stopped"]);
});

it("says why it could not start", async () => {
  const start: StartRole = () => Promise.reject(new Error("port is taken"));
  await expect(runRole(SETTINGS, deps(), start, new Cancellation())).rejects.toThrow("port is taken");
});

it("that is stopped while it still waits for something ends gracefully", async () => {
  const stop = new Cancellation();
  const waits = Promise.withResolvers<void>();
  const start: StartRole = ({ stopping }) =>
    new Promise((_resolve, reject) => {
      stopping.addEventListener("abort", () => reject(stopping.reason));
      waits.resolve();
    });
  const running = runRole(SETTINGS, deps(), start, stop);
  await waits.promise;
  stop.abort(new Error("signal"));
  await expect(running).resolves.toBeUndefined();
});
