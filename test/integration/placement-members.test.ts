import { afterEach, expect, it } from "vitest";
import { type PlacementProgram, startPlacementProgram } from "../harness/placement-program.ts";
import { freePort } from "../harness/test-app.ts";
import { until } from "../harness/until.ts";

const members: PlacementProgram[] = [];

afterEach(async () => {
  await Promise.all(members.splice(0).map((member) => member[Symbol.asyncDispose]()));
});

async function startThree(): Promise<PlacementProgram> {
  const ports = [await freePort(), await freePort(), await freePort()];
  const cluster = ports.map((port, index) => `p${index}=127.0.0.1:${port}`).join(",");
  members.push(
    ...(await Promise.all(
      ports.map((_, index) => startPlacementProgram([`--id=p${index}`, `--initial-cluster=${cluster}`])),
    )),
  );
  return await leaderOf(members);
}

async function leaderOf(those: readonly PlacementProgram[]): Promise<PlacementProgram> {
  return await until(
    "one of them leads",
    async () => {
      const statuses = await Promise.all(those.map((member) => member.metric("dapr_placement_leader_status")));
      return statuses.reduce<number>((sum, status) => sum + (status ?? 0), 0) === 1 && those[statuses.indexOf(1)];
    },
    20_000,
  );
}

it("one of three leads, the others send sidecars on; when it is killed another one takes its place", async () => {
  const leader = await startThree();
  const others = members.filter((member) => member !== leader);
  for (const other of others) {
    expect(await other.host("a", ["cat"]).ended).toEqual({
      code: 9,
      message: expect.stringMatching(/^node id=p\d is not a leader\. Only the leader can serve requests$/) as string,
    });
    expect(await (await other.get("/placement/state")).text()).toBe("null");
  }
  const host = leader.host("a", ["cat"]);
  await host.hears("update 1: cat@a");

  await leader.program.signal("SIGKILL");
  const next = await leaderOf(others);
  await next.host("a", ["cat"]).hears("update 1: cat@a");
});

it("a leader that was stopped for longer than its time finds that it leads no longer", async () => {
  const leader = await startThree();
  const host = leader.host("a", ["cat"]);
  await host.hears("unlock 1");
  process.kill(leader.program.pid, "SIGSTOP");
  const next = await leaderOf(members.filter((member) => member !== leader));
  process.kill(leader.program.pid, "SIGCONT");
  expect(await host.ended).toMatchObject({ code: 9 });
  expect(await leader.metric("dapr_placement_leader_status")).toBe(0);
  await next.host("a", ["cat"]).hears("unlock 1");
});
