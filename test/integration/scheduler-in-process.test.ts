import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { InProcessScheduler } from "../../src/control-plane/scheduler/in-process-scheduler.ts";
import { GRPC_STATUS } from "../../src/errors/grpc-status.ts";
import { silentLogger } from "../../src/kit/silent-logger.ts";
import { systemRandom } from "../../src/kit/random.ts";
import { systemClock } from "../../src/kit/system-clock.ts";
import { createGrpcClient } from "../../src/net/grpc/client.ts";
import { createH2Transport } from "../../src/net/h2/protocol/transport.ts";
import { LazyScheduler } from "../../src/scheduling/lazy-scheduler.ts";
import { Scheduler } from "../../src/scheduling/scheduler.ts";
import type { ConnectScheduler, SchedulerClient, Trigger } from "../../src/scheduling/types.ts";
import { type Folder, temporaryFolder } from "../harness/resources.ts";
import { SchedulerProgram, schedulerPorts } from "../harness/scheduler-program.ts";
import { until } from "../harness/until.ts";

const OWNER = { appId: "shop", namespace: "default" };
const APP = { kind: "app" } as const;
const CAT = { kind: "actor", type: "cat", id: "tom" } as const;
const WORLD = { clock: systemClock, random: systemRandom, logger: silentLogger };

/** Something that keeps jobs, and sidecars' clients of it. */
interface Service {
  client(): SchedulerClient;
  close(): Promise<void>;
}

function clientOf(addresses: readonly string[], connect: ConnectScheduler): Scheduler {
  return new Scheduler({ ...WORLD, ...OWNER, addresses, streamsPerHost: 1, connect, onFound: () => undefined });
}

async function ownProcess(folder: Folder): Promise<Service> {
  const program = await new SchedulerProgram(folder.path, await schedulerPorts()).ready();
  return {
    client: () =>
      clientOf([`127.0.0.1:${program.ports.api}`], (address) => createGrpcClient(createH2Transport(), address)),
    close: async () => await program[Symbol.asyncDispose](),
  };
}

async function thisProcess(folder: Folder): Promise<Service> {
  const local = new InProcessScheduler({ ...WORLD, folder: join(folder.path, "jobs") });
  return {
    client: () =>
      new LazyScheduler({
        local,
        connect: async (connect) => clientOf(["in-process"], connect),
        ...WORLD,
      }),
    close: () => local.close(),
  };
}

describe.each([
  ["a process of its own", ownProcess],
  ["the same process", thisProcess],
])("a scheduler in %s", (_where, open) => {
  let folder: Folder;
  let service: Service;
  let client: SchedulerClient;
  beforeEach(async () => {
    folder = await temporaryFolder();
    service = await open(folder);
    client = service.client();
    client.start();
  });
  afterEach(async () => {
    await client.close();
    await service.close();
    await folder[Symbol.asyncDispose]();
  });

  it("keeps, lists and deletes jobs", async () => {
    const data = { typeUrl: "type.googleapis.com/google.protobuf.BytesValue", value: Buffer.of(10, 1, 120) };
    await client.schedule(APP, { name: "a", schedule: "@every 1h", repeats: 3, data }, false);
    await client.schedule(APP, { name: "ab", dueTime: "1h" }, false);
    await client.schedule(APP, { name: "b", dueTime: "1h" }, false);
    expect(await client.get(APP, "a")).toMatchObject({ schedule: "@every 1h", repeats: 3, data });
    expect((await client.list(APP)).map(({ name }) => name)).toEqual(["a", "ab", "b"]);
    await client.deleteByPrefix(APP, "a");
    expect((await client.list(APP)).map(({ name }) => name)).toEqual(["b"]);
    await client.delete(APP, "b");
    await client.delete(APP, "b");
    expect(await client.list(APP)).toEqual([]);
    expect(client.addresses).toHaveLength(1);
  });

  it("refuses with the same status and words", async () => {
    await client.schedule(APP, { name: "a", dueTime: "1h" }, false);
    await expect(client.schedule(APP, { name: "a", dueTime: "1h" }, false)).rejects.toMatchObject({
      name: "GrpcError",
      code: GRPC_STATUS.ALREADY_EXISTS,
      message: "job already exists: 'app||default||shop||a'",
    });
    await client.schedule(APP, { name: "a", dueTime: "2h" }, true);
    await expect(client.get(APP, "none")).rejects.toMatchObject({
      code: GRPC_STATUS.NOT_FOUND,
      message: "job not found: none",
    });
    const failure = await client
      .schedule(APP, { name: "c", schedule: "often" }, false)
      .catch((error: unknown) => error);
    expect(failure).toMatchObject({ name: "GrpcError", message: expect.stringContaining("often") as string });
  });

  it("tells reminders by their actors", async () => {
    await client.schedule(CAT, { name: "eat", dueTime: "1h" }, false);
    await client.schedule({ ...CAT, id: "tim" }, { name: "sleep", dueTime: "1h" }, false);
    const listed = await client.listReminders({ type: "cat", id: "" });
    expect(listed.map(({ name, actor }) => `${name} ${actor.id}`).toSorted()).toEqual(["eat tom", "sleep tim"]);
    await client.deleteReminders({ type: "cat", id: "tom" }, false);
    expect(await client.listReminders({ type: "cat", id: "tom" })).toEqual([]);
    expect(await client.listReminders({ type: "cat", id: "tim" })).toHaveLength(1);
  });

  it("triggers for whoever handles it, and again what failed", async () => {
    const app: Trigger[] = [];
    const actors: Trigger[] = [];
    await client.serveApp(async (trigger) => app.push(trigger) > 1);
    await client.serveActors(["cat"], async (trigger) => actors.push(trigger) > 0);
    const retried = { policy: { case: "constant", value: { maxRetries: 3 } } } as never;
    await client.schedule(APP, { name: "a", dueTime: "0s", failurePolicy: retried }, false);
    await client.schedule(CAT, { name: "eat", dueTime: "0s" }, false);
    await until("all have come", () => app.length >= 2 && actors.length >= 1);
    await until("nothing is left", async () => (await client.list(APP)).length === 0);
    // A handler that is held up for long may see its trigger once more.
    expect(new Set(app.map(({ name, target }) => `${name} ${target.kind}`))).toEqual(new Set(["a app"]));
    expect(actors[0]).toMatchObject({ name: "eat", target: CAT });
  });

  it("holds triggers back while nobody handles them, and gives them to another client", async () => {
    await client.schedule(APP, { name: "a", dueTime: "0s" }, false);
    const other = service.client();
    other.start();
    const got = Promise.withResolvers<string>();
    await other.serveApp(async ({ name }) => {
      got.resolve(name);
      return true;
    });
    expect(await got.promise).toBe("a");
    await other.close();
  });
});

describe("a scheduler in the same process", () => {
  it("opens with the first job, for all who handle triggers, and again after a restart", async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, "jobs");
    const one = new InProcessScheduler({ ...WORLD, folder: path });
    const connect = async (via: ConnectScheduler): Promise<Scheduler> => clientOf(["in-process"], via);
    const [asker, handler] = [0, 1].map(() => new LazyScheduler({ ...WORLD, local: one, connect })) as [
      LazyScheduler,
      LazyScheduler,
    ];
    const got = Promise.withResolvers<string>();
    await handler.serveApp(async ({ name }) => {
      got.resolve(name);
      return true;
    });
    expect([one.hasJobs, handler.addresses]).toEqual([false, []]);
    await asker.schedule(APP, { name: "now", dueTime: "0s" }, false);
    expect(await got.promise).toBe("now");
    await asker.schedule(APP, { name: "later", dueTime: "1h" }, false);
    await Promise.all([asker.close(), handler.close()]);
    await one.close();

    const two = new InProcessScheduler({ ...WORLD, folder: path });
    expect(two.hasJobs).toBe(true);
    const again = new LazyScheduler({ ...WORLD, local: two, connect });
    expect((await again.list(APP)).map(({ name }) => name)).toEqual(["later"]);
    await again.close();
    await two.close();
  });

  it("says that another has the folder, and opens when that is over", async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, "jobs");
    await mkdir(path);
    const [one, two] = [0, 1].map(() => new InProcessScheduler({ ...WORLD, folder: path })) as [
      InProcessScheduler,
      InProcessScheduler,
    ];
    await one.open();
    await expect(two.open()).rejects.toThrow(`another process uses the folder ${path}`);
    await one.close();
    await two.open();
    await two.close();
    await expect(two.open()).rejects.toThrow("the scheduler is stopping");
  });
});
