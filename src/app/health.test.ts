import { expect, test } from "vitest";
import { VirtualClock } from "../kit/virtual-clock.fixture.ts";
import { silentLogger } from "../kit/silent-logger.ts";
import { AppHealth } from "./health.ts";

const settings = { probeIntervalMs: 1_000, probeTimeoutMs: 500, threshold: 2, logger: silentLogger };

async function flush(): Promise<void> {
  for (let turn = 0; turn < 10; turn += 1) {
    await Promise.resolve();
  }
}

test("unhealthy until the first success, after a row of failures again, and back after one success", async () => {
  const clock = new VirtualClock();
  let well = false;
  const changes: boolean[] = [];
  const health = new AppHealth({ ...settings, clock, probe: () => Promise.resolve(well ? undefined : "it is ill") });
  health.onChange((healthy) => changes.push(healthy));
  health.start();
  await flush();
  expect([health.healthy, changes]).toEqual([false, []]);
  well = true;
  clock.advance(1_000);
  await flush();
  expect([health.healthy, changes]).toEqual([true, [true]]);
  well = false;
  clock.advance(1_000);
  await flush();
  expect(health.healthy).toBe(true);
  clock.advance(1_000);
  await flush();
  expect([health.healthy, changes]).toEqual([false, [true, false]]);
  well = true;
  clock.advance(1_000);
  await flush();
  expect(changes).toEqual([true, false, true]);
  health.close();
  expect(clock.pendingTimers).toBe(0);
});

test("a probe that hangs fails at its timeout, and is told to stop", async () => {
  const clock = new VirtualClock();
  let stopped = false;
  let hang = false;
  const health = new AppHealth({
    ...settings,
    threshold: 1,
    clock,
    probe: (signal) => {
      if (!hang) {
        return Promise.resolve(undefined);
      }
      return new Promise(() => signal.addEventListener("abort", () => (stopped = true)));
    },
  });
  health.start();
  await flush();
  expect(health.healthy).toBe(true);
  hang = true;
  clock.advance(1_000);
  await flush();
  clock.advance(500);
  await flush();
  expect([health.healthy, stopped]).toEqual([false, true]);
  health.close();
});

test("says why the app is not well", async () => {
  const clock = new VirtualClock();
  const lines: string[] = [];
  const logger = { ...silentLogger, warn: (line: string) => void lines.push(line), scope: () => logger };
  const problems = [undefined, "Health check failed with status code: 503"];
  const probe = (): Promise<string | undefined> => Promise.resolve(problems.shift());
  const health = new AppHealth({ ...settings, threshold: 1, logger, clock, probe });
  health.start();
  await flush();
  clock.advance(1_000);
  await flush();
  expect(lines).toEqual(["App entered un-healthy status: Health check failed with status code: 503"]);
  health.close();
});

test("settings that Dapr refuses are refused", () => {
  const more = { clock: new VirtualClock(), probe: () => Promise.resolve(undefined) };
  expect(() => new AppHealth({ ...settings, ...more, probeIntervalMs: 0 })).toThrow(
    "probe interval must be larger than 0",
  );
  expect(() => new AppHealth({ ...settings, ...more, probeTimeoutMs: 2_000 })).toThrow(
    "app health checks probe timeouts must be smaller than probe intervals",
  );
});
