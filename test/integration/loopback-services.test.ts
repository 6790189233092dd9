import { expect, it } from "vitest";
import { InProcessScheduler } from "../../src/control-plane/scheduler/in-process-scheduler.ts";
import { LocalServices } from "../../src/control-plane/local-services.ts";
import { LoopbackServices } from "../../src/control-plane/loopback-services.ts";
import { systemRandom } from "../../src/kit/random.ts";
import { createH2Transport } from "../../src/net/h2/protocol/transport.ts";
import { countingClock } from "../harness/counting-clock.ts";
import { recordingLogger } from "../harness/recording-logger.ts";
import { component, temporaryFolder } from "../harness/resources.ts";
import { startTestSidecar } from "../harness/test-sidecar.ts";

it("serves sidecars elsewhere until it is closed, and leaves no timer", async () => {
  await using folder = await temporaryFolder();
  const clock = countingClock();
  const logger = recordingLogger();
  const services = new LocalServices({ jobsFolder: `${folder.path}/jobs`, clock, random: systemRandom, logger });
  const loopback = new LoopbackServices(services, createH2Transport(), logger);
  const { placement, scheduler } = await loopback.open();
  {
    await using sidecar = await startTestSidecar({
      resources: component("store", "state.in-memory", { actorStateStore: "true" }),
      placement: { addresses: [placement ?? ""], disseminationTimeoutMs: 30_000 },
      scheduler: { addresses: [scheduler ?? ""], jobStreams: 1 },
    });
    const job = { method: "POST", body: '{"dueTime":"1h"}' };
    expect((await sidecar.fetch("/v1.0/jobs/later", job)).status).toBe(204);
    const metadata = (await (await sidecar.fetch("/v1.0/metadata")).json()) as Record<string, unknown>;
    expect(metadata["scheduler"]).toEqual({ connected_addresses: [scheduler] });
  }
  await loopback.close();
  await services.close();
  expect(clock.pendingTimers).toBe(0);
  await expect(fetch(`http://${placement}/`)).rejects.toThrow();
  await expect(fetch(`http://${scheduler}/`)).rejects.toThrow();
});

it("says what keeps a service from opening, and opens the other", async () => {
  await using folder = await temporaryFolder();
  const world = { clock: countingClock(), random: systemRandom };
  const logger = recordingLogger();
  const holder = new InProcessScheduler({ ...world, folder: folder.path, logger });
  await holder.open();
  const services = new LocalServices({ ...world, jobsFolder: folder.path, logger });
  const loopback = new LoopbackServices(services, createH2Transport(), logger);
  const addresses = await loopback.open();
  expect(addresses).toMatchObject({ placement: expect.stringMatching(/^127\.0\.0\.1:\d+$/) as string });
  expect(addresses.scheduler).toBeUndefined();
  expect(logger.said(`there are no jobs and reminders: another process uses the folder ${folder.path}`)).toBe(true);
  await loopback.close();
  await services.close();
  await holder.close();
});
