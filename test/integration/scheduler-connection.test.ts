import { expect, it } from "vitest";
import { startSchedulerDouble } from "../harness/scheduler-double.ts";
import { freePort, startTestApp } from "../harness/test-app.ts";
import { startTestSidecar, type TestSidecar } from "../harness/test-sidecar.ts";
import { until } from "../harness/until.ts";

async function connected(sidecar: TestSidecar): Promise<unknown> {
  const metadata = (await (await sidecar.fetch("/v1.0/metadata")).json()) as {
    scheduler?: { connected_addresses: string[] };
  };
  return metadata.scheduler?.connected_addresses;
}

async function isConnected(sidecar: TestSidecar, addresses: readonly string[]): Promise<void> {
  await until(`it is connected to ${addresses.join(", ")}`, async () => {
    expect(await connected(sidecar)).toEqual(addresses);
    return true;
  });
}

it("a sidecar is not healthy before it has found a scheduler, and calls wait for one", async () => {
  const port = await freePort();
  await using sidecar = await startTestSidecar({
    scheduler: { addresses: [`127.0.0.1:${port}`], jobStreams: 1 },
  });
  const health = await sidecar.fetch("/v1.0/healthz");
  expect(health.status).toBe(500);
  expect(await health.text()).toContain("[scheduler-watch-hosts]");
  expect(await connected(sidecar)).toBe(undefined);
  const scheduled = sidecar.fetch("/v1.0/jobs/early", { method: "POST", body: '{"schedule":"@daily"}' });
  await using scheduler = await startSchedulerDouble(port);
  expect((await scheduled).status).toBe(204);
  expect([...scheduler.jobs.keys()]).toEqual(["early"]);
  await until("the sidecar is healthy", async () => (await sidecar.fetch("/v1.0/healthz")).status === 204);
  await isConnected(sidecar, [scheduler.address]);
});

it("a sidecar has its streams with every scheduler that there is, as they come and go", async () => {
  await using first = await startSchedulerDouble();
  await using second = await startSchedulerDouble();
  await using app = await startTestApp();
  await using sidecar = await startTestSidecar({
    appPort: app.port,
    scheduler: { addresses: [first.address], jobStreams: 2 },
  });
  await until("the first scheduler has its streams", () => first.sidecars.length === 2);
  const before = first.sidecars;
  first.setHosts([first.address, second.address]);
  await until("the second scheduler has its streams", () => second.sidecars.length === 2);
  expect(first.sidecars).toEqual(before);
  await isConnected(sidecar, [first.address, second.address]);
  first.setHosts([first.address]);
  await until("the second scheduler has none", () => second.sidecars.length === 0);
  await isConnected(sidecar, [first.address]);
});

it("a stream that is lost comes back", async () => {
  await using scheduler = await startSchedulerDouble();
  await using app = await startTestApp();
  await using _sidecar = await startTestSidecar({
    appPort: app.port,
    scheduler: { addresses: [scheduler.address], jobStreams: 1 },
  });
  const lost = await until("there is a stream", () => scheduler.sidecars[0]);
  lost.end();
  const next = await until("there is another", () => scheduler.sidecars.find((stream) => stream !== lost));
  expect(await next.trigger("j")).toBe("SUCCESS");
});

it("a sidecar finds its scheduler again after that has been away", async () => {
  const port = await freePort();
  const gone = await startSchedulerDouble(port);
  await using app = await startTestApp();
  await using sidecar = await startTestSidecar({
    appPort: app.port,
    scheduler: { addresses: [gone.address], jobStreams: 1 },
  });
  await until("there is a stream", () => gone.sidecars[0]);
  await gone.close();
  await until("the loss is told", () => sidecar.logger.said("Scheduler WatchHosts stream error, reconnecting"));
  await using back = await startSchedulerDouble(port);
  const stream = await until("there is a stream again", () => back.sidecars[0]);
  expect(await stream.trigger("j")).toBe("SUCCESS");
  expect((await sidecar.fetch("/v1.0/jobs/j", { method: "POST", body: '{"dueTime":"1s"}' })).status).toBe(204);
});

it.each([
  [0, "must define at least 1 scheduler stream, got 0"],
  [101, "at most 100 streams to each scheduler are possible, got 101: lower --scheduler-job-streams"],
])("%i streams to each scheduler do not start", async (jobStreams, reason) => {
  await expect(startTestSidecar({ scheduler: { addresses: [], jobStreams } })).rejects.toThrow(reason);
});
