import { expect, it } from "vitest";
import { ActorCluster, type ActorMember } from "../harness/actor-cluster.ts";
import { until } from "../harness/until.ts";

const IDS = ["1", "2", "3", "4", "5", "6"];

async function reminded(member: ActorMember, id: string): Promise<void> {
  const path = `/actors/t/${id}/method/remind/r`;
  const before = member.app.at(path).length;
  await until(`${id} is reminded`, () => member.app.at(path).length > before);
}

it("actors that move to another sidecar and back keep their state and their reminders", async () => {
  await using cluster = await ActorCluster.start({ scheduler: [] });
  const first = await cluster.add();
  await first.ready();
  const stateOf = async (member: ActorMember, id: string): Promise<unknown> =>
    await (await member.actor(`${id}/state/n`, undefined, { method: "GET" })).json();
  for (const id of IDS) {
    expect((await first.actor(`${id}/method/m`)).status).toBe(200);
    const operations = [{ operation: "upsert", request: { key: "n", value: Number(id) } }];
    expect((await first.actor(`${id}/state`, operations)).status).toBe(204);
    expect((await first.actor(`${id}/reminders/r`, { dueTime: "0s", period: "200ms", data: id })).status).toBe(204);
  }
  await Promise.all(IDS.map((id) => reminded(first, id)));

  const second = await cluster.add();
  await second.ready();
  await first.stop();
  for (const id of IDS) {
    expect([(await second.actor(`${id}/method/m`)).status, await stateOf(second, id)]).toEqual([200, Number(id)]);
    const operations = [{ operation: "upsert", request: { key: "n", value: 10 + Number(id) } }];
    expect((await second.actor(`${id}/state`, operations)).status).toBe(204);
  }
  await Promise.all(IDS.map((id) => reminded(second, id)));

  const again = await cluster.add();
  await again.ready();
  await second.stop();
  for (const id of IDS) {
    expect([(await again.actor(`${id}/method/m`)).status, await stateOf(again, id)]).toEqual([200, 10 + Number(id)]);
  }
  await Promise.all(IDS.map((id) => reminded(again, id)));
  const [reminder] = again.app.at("/actors/t/1/method/remind/r");
  expect(reminder?.body).toBe('{"data":"1","dueTime":"","period":""}');
});
