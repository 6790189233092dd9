import { expect, it } from "vitest";
import { runRole } from "../../src/control-plane/shared/run-role.ts";
import { startPlacement } from "../../src/control-plane/placement/start-placement.ts";
import { Cancellation } from "../../src/kit/cancel-signal.ts";
import { systemRandom } from "../../src/kit/random.ts";
import { transportOf } from "../../src/net/h2/implementations.ts";
import type { LeveledLogger } from "../../src/telemetry/log/logger.ts";
import { countingClock } from "../harness/counting-clock.ts";
import { PlacementHost } from "../harness/placement-program.ts";
import { recordingLogger } from "../harness/recording-logger.ts";
import { freePort } from "../harness/test-app.ts";
import { until } from "../harness/until.ts";

it("leaves no timer and no port open in a process that goes on", async () => {
  const [port, healthPort, metricsPort, memberPort] = [
    await freePort(),
    await freePort(),
    await freePort(),
    await freePort(),
  ];
  const clock = countingClock();
  const logger = recordingLogger();
  const stop = new Cancellation();
  const running = runRole(
    {
      healthPort,
      healthListenAddress: "127.0.0.1",
      metricsEnabled: true,
      metricsPort,
      metricsListenAddress: "127.0.0.1",
    },
    { logger: logger as unknown as LeveledLogger, clock, random: systemRandom, transport: transportOf("own") },
    startPlacement({
      id: "only",
      members: [{ id: "only", address: `127.0.0.1:${memberPort}` }],
      port,
      listenAddress: "127.0.0.1",
      metadataEnabled: true,
      replicationFactor: 100,
      keepaliveMs: 2_000,
      keepaliveTimeoutMs: 3_000,
      disseminateTimeoutMs: 8_000,
      coalesceWindowMs: 0,
    }),
    stop,
  );
  await until("it leads", () => logger.said("has acquired leadership"));
  const hosts = ["a", "b"].map((id) => new PlacementHost(`127.0.0.1:${port}`, id, ["cat"], { answers: id === "a" }));
  await until("a round is under way", () => hosts[1]?.heard.length === 1);
  expect(clock.pendingTimers).toBeGreaterThan(0);
  stop.abort(new Error("enough"));
  await running;
  expect(await Promise.all(hosts.map(({ ended }) => ended))).toMatchObject([{ code: 14 }, { code: 14 }]);
  expect(clock.pendingTimers).toBe(0);
  for (const one of [port, healthPort, metricsPort, memberPort]) {
    await expect(fetch(`http://127.0.0.1:${one}/`)).rejects.toThrow();
  }
  for (const host of hosts) {
    host.leave();
  }
});

it("says which port is taken", async () => {
  const port = await freePort();
  const stop = new Cancellation();
  const logger = recordingLogger();
  const role = (members: number): Promise<void> =>
    runRole(
      {
        healthPort: 0,
        healthListenAddress: "127.0.0.1",
        metricsEnabled: false,
        metricsPort: 0,
        metricsListenAddress: "127.0.0.1",
      },
      {
        logger: logger as unknown as LeveledLogger,
        clock: countingClock(),
        random: systemRandom,
        transport: transportOf("own"),
      },
      startPlacement({
        id: "only",
        members: [{ id: "only", address: `127.0.0.1:${members}` }],
        port: 0,
        listenAddress: "127.0.0.1",
        metadataEnabled: false,
        replicationFactor: 100,
        keepaliveMs: 2_000,
        keepaliveTimeoutMs: 3_000,
        disseminateTimeoutMs: 8_000,
        coalesceWindowMs: 0,
      }),
      stop,
    );
  const first = role(port);
  await until("the first one has it", () => logger.said("has acquired leadership"));
  await expect(role(port)).rejects.toThrow(
    new RegExp(`^failed to create raft listener: cannot listen on 127\\.0\\.0\\.1:${port}`),
  );
  stop.abort(new Error("enough"));
  await first;
});
