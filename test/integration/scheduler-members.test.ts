import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { etcdMissing, etcdNote, startEtcdServer } from "../harness/etcd-server.ts";
import { processIdentity } from "../../src/control-plane/scheduler/etcd-member/process-identity.ts";
import { temporaryFolder } from "../harness/resources.ts";
import { etcdPid, guardPid, SchedulerCluster } from "../harness/scheduler-cluster.ts";
import { schedulerPorts, type JobWatcher, SchedulerProgram } from "../harness/scheduler-program.ts";
import { until } from "../harness/until.ts";

/** Starts, an election, and a lease that runs out. */
const SLOW_MS = 300_000;
const TRIGGERS_MS = 100_000;
const JOBS = 60;

const names = Array.from({ length: JOBS }, (_, index) => `job-${String(index).padStart(2, "0")}`);

/** One that has ended and that nobody has waited for is none. */
function isRunning(pid: number): boolean {
  return processIdentity(pid) !== undefined;
}

function counts(watchers: readonly JobWatcher[]): ReadonlyMap<string, number> {
  const found = new Map<string, number>();
  for (const name of watchers.flatMap((watcher) => watcher.names)) {
    found.set(name, (found.get(name) ?? 0) + 1);
  }
  return found;
}

async function scheduleAll(cluster: SchedulerCluster, dueTime: string): Promise<void> {
  await Promise.all(
    names.map((name, index) => cluster.member(index % cluster.members.length).schedule(name, { dueTime })),
  );
}

describe.skipIf(etcdMissing !== undefined)(`several schedulers${etcdNote}`, () => {
  it("trigger each job once, and those of a killed one at the others", { timeout: SLOW_MS }, async () => {
    await using folder = await temporaryFolder();
    await using cluster = await SchedulerCluster.start(folder.path, 3);
    const watchers = cluster.members.map((member) => member.watch());

    await scheduleAll(cluster, "1s");
    await until("every job has come", () => counts(watchers).size === JOBS, TRIGGERS_MS);
    expect(new Set(counts(watchers).values())).toEqual(new Set([1]));
    expect(watchers.every((watcher) => watcher.triggers.length > 0)).toBe(true);

    // Later than all of them are scheduled: what a member has under way when it is killed may come twice.
    await scheduleAll(cluster, "10s");
    await cluster.member(1).program.signal("SIGKILL");
    const left = [watchers[0], watchers[2]] as JobWatcher[];
    await until(
      "every job has come again",
      () => [...counts([...watchers]).values()].every((count) => count >= 2),
      TRIGGERS_MS,
    );
    await cluster.agreed([0, 2]);
    expect(left.every((watcher) => watcher.triggers.length > 0)).toBe(true);
    expect(Math.max(...counts(watchers).values())).toBe(2);
  });

  it("share an etcd elsewhere, and hand their jobs over when one leaves", { timeout: SLOW_MS }, async () => {
    await using etcd = await startEtcdServer();
    await using folder = await temporaryFolder();
    await using cluster = await SchedulerCluster.startOn(etcd.address, folder.path, 2);
    const watchers = cluster.members.map((member) => member.watch());
    await scheduleAll(cluster, "8s");
    expect((await cluster.member(0).program.signal("SIGTERM")).code).toBe(0);
    await cluster.agreed([1]);
    await until("every job has come", () => counts(watchers).size === JOBS, TRIGGERS_MS);
    expect(new Set(counts(watchers).values())).toEqual(new Set([1]));
    expect(existsSync(join(cluster.dataDir(1), "scheduler.db"))).toBe(false);

    await etcd.kill();
    await until("it is not healthy", async () => (await cluster.member(1).health()) === 503, TRIGGERS_MS);
    await until("that is shown", async () => (await cluster.member(1).metric("etcd_server_has_leader")) === 0);
    await etcd.start();
    await until("it is healthy", async () => (await cluster.member(1).health()) === 200, TRIGGERS_MS);
    await cluster.member(1).schedule("later", { dueTime: "0s" });
    await until("jobs go on", () => counts(watchers).has("later"), TRIGGERS_MS);
  });

  it("leave no etcd behind when they are killed, or end it when they are back", { timeout: SLOW_MS }, async () => {
    await using folder = await temporaryFolder();
    await using cluster = await SchedulerCluster.start(folder.path, 3);
    const first = etcdPid(cluster.dataDir(0));
    await cluster.member(0).program.signal("SIGKILL");
    await until("its etcd has gone with it", () => !isRunning(first), TRIGGERS_MS);

    await cluster.restart(0).ready();
    await cluster.agreed();
    const second = etcdPid(cluster.dataDir(0));
    expect(second).not.toBe(first);
    if (!existsSync("/proc/self/stat")) {
      return;
    }
    process.kill(guardPid(second) ?? 0, "SIGKILL");
    await cluster.member(0).program.signal("SIGKILL");
    expect(isRunning(second)).toBe(true);
    const back = await cluster.restart(0).ready();
    expect(back.program.output).toContain(`Ended the etcd (process ${second})`);
    expect(isRunning(second)).toBe(false);
    await cluster.agreed();

    const third = etcdPid(cluster.dataDir(0));
    expect((await back.program.signal("SIGTERM")).code).toBe(0);
    expect(isRunning(third)).toBe(false);
    await until("its guard has gone", () => guardPid(third) === undefined);
  });

  it("do not take over the jobs of one that ran alone", { timeout: SLOW_MS }, async () => {
    await using folder = await temporaryFolder();
    const ports = await schedulerPorts();
    const alone = await new SchedulerProgram(folder.path, ports, ["--id=a"]).ready();
    await alone.schedule("kept", { dueTime: "1h" });
    await alone.program.signal("SIGTERM");
    await alone[Symbol.asyncDispose]();

    const cluster = ["--id=a", "--etcd-initial-cluster=a=http://127.0.0.1:1,b=http://127.0.0.1:2"];
    await using refused = new SchedulerProgram(folder.path, ports, cluster);
    expect((await refused.program.ended).code).toBe(1);
    expect(refused.program.output).toContain("holds the jobs of a scheduler that ran alone");

    await using again = await new SchedulerProgram(folder.path, ports, ["--id=a"]).ready();
    expect(await again.metric("etcd_mvcc_db_total_size_in_bytes")).toBeGreaterThan(0);
  });
});

it("without an etcd it is said how to get one", async () => {
  await using folder = await temporaryFolder();
  const cluster = ["--id=a", "--etcd-initial-cluster=a=http://127.0.0.1:1,b=http://127.0.0.1:2"];
  const flags = [...cluster, `--etcd-binary=${folder.path}/none`];
  await using scheduler = new SchedulerProgram(folder.path, await schedulerPorts(), flags);
  expect((await scheduler.program.ended).code).toBe(1);
  expect(scheduler.program.output).toContain(`${folder.path}/none cannot be run as etcd`);
});
