import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { temporaryFolder } from "../harness/resources.ts";
import { schedulerPorts, SchedulerProgram } from "../harness/scheduler-program.ts";

it.each([
  [
    ["--etcd-embed=true", "--etcd-client-endpoints=localhost:1"],
    "cannot use --etcd-client-endpoints with --etcd-embed",
  ],
  [["--etcd-client-username=me"], "cannot use --etcd-client-username with --etcd-embed"],
  [["--etcd-client-password=me"], "cannot use --etcd-client-password with --etcd-embed"],
  [["--etcd-embed=false"], "must specify --etcd-client-endpoints when not using embedded etcd"],
  [["--etcd-embed=false", "--etcd-client-endpoints=https://localhost:1"], "asks for TLS"],
  [["--etcd-binary=etcd"], "--etcd-binary must be an absolute path"],
  [["--id=a", "--etcd-initial-cluster=b=http://x:1"], "scheduler ID: a is not found in initial cluster"],
  [["--id=a", "--etcd-initial-cluster=a=http://x:1,b"], "incorrect format for --etcd-initial-cluster: b"],
  [["--id=a", "--etcd-initial-cluster=a=http://x:1,b=https://y:1"], "asks for TLS between members"],
  [["--tls-enabled"], "trust anchors are required"],
  [["--mode=kubernetes"], "--mode=kubernetes needs a watch of namespaces"],
  [["--kubeconfig=x"], "kubeconfig flag is only valid in --mode=kubernetes"],
  [["--etcd-space-quota=lots"], "failed to parse etcd space quota"],
  [["--workers=0"], "workers must be larger than 0"],
])("refuses %j with a line that says why", async (flags, reason) => {
  await using folder = await temporaryFolder();
  await using scheduler = new SchedulerProgram(folder.path, await schedulerPorts(), flags);
  expect((await scheduler.program.ended).code).toBe(1);
  expect(scheduler.program.output).toContain(reason);
});

it("does not start beside another on the same folder, nor on an etcd's data", async () => {
  await using folder = await temporaryFolder();
  await using first = await new SchedulerProgram(folder.path, await schedulerPorts()).ready();
  await using second = new SchedulerProgram(folder.path, await schedulerPorts());
  expect((await second.program.ended).code).toBe(1);
  expect(second.program.output).toContain("another process uses the folder");
  expect(await first.health()).toBe(200);

  await mkdir(join(folder.path, "etcd/data/member"), { recursive: true });
  await using third = new SchedulerProgram(join(folder.path, "etcd"), await schedulerPorts());
  expect((await third.program.ended).code).toBe(1);
  expect(third.program.output).toContain("holds the data of an etcd");
});
