import { afterAll, beforeAll, expect, it } from "vitest";
import { ActorCluster, type ActorMember } from "../harness/actor-cluster.ts";
import { until } from "../harness/until.ts";

let cluster: ActorCluster;
let member: ActorMember;

beforeAll(async () => {
  cluster = await ActorCluster.start({ scheduler: [] });
  member = await cluster.add({
    answer: ({ url }) => (url.endsWith("/remind/stop") ? { headers: { "X-DaprReminderCancel": "true" } } : undefined),
  });
  await member.ready();
});
afterAll(() => cluster[Symbol.asyncDispose]());

const fired = (id: string, name: string): number => member.app.at(`/actors/t/${id}/method/remind/${name}`).length;
const read = async (id: string, name: string): Promise<[number, unknown]> => {
  const reply = await member.actor(`${id}/reminders/${name}`, undefined, { method: "GET" });
  return [reply.status, await reply.json()];
};

it("a reminder comes once when it has no period, with its data as JSON, and is gone", async () => {
  expect((await member.actor("1/reminders/once", { dueTime: "0s", data: { a: [1] } })).status).toBe(204);
  await until("it has fired", () => fired("1", "once") === 1);
  const [request] = member.app.at("/actors/t/1/method/remind/once");
  expect(request).toMatchObject({ method: "PUT", body: '{"data":{"a":[1]},"dueTime":"","period":""}' });
  await until("it is gone", async () => (await read("1", "once"))[0] === 404);
});

it("a reminder with a period comes as often as it says", async () => {
  expect((await member.actor("2/reminders/thrice", { dueTime: "0s", period: "R3/PT0.1S" })).status).toBe(500);
  expect((await member.actor("2/reminders/twice", { dueTime: "0s", period: "R2/PT1S" })).status).toBe(204);
  await until("it has fired twice", () => fired("2", "twice") === 2);
  await until("it is gone", async () => (await read("2", "twice"))[0] === 404);
});

it("a reminder is read as it was made, and replaced unless it may not be", async () => {
  await member.actor("3/reminders/r", { dueTime: "1h", period: "2h", data: "first" });
  expect(await read("3", "r")).toEqual([
    200,
    expect.objectContaining({ dueTime: "1h", period: "@every 2h0m0s", data: "first" }),
  ]);
  const kept = await member.actor("3/reminders/r", { dueTime: "3h", overwrite: false });
  expect([kept.status, await kept.text()]).toEqual([
    409,
    '{"errorCode":"ERR_ACTOR_REMINDER_ALREADY_EXISTS","message":"actor reminder already exists: r"}',
  ]);
  await member.actor("3/reminders/r", { dueTime: "0s", data: "second" });
  await until("the second one has fired", () => fired("3", "r") === 1);
  expect(member.app.at("/actors/t/3/method/remind/r")[0]?.body).toContain('"second"');
});

it("a deleted reminder does not come", async () => {
  // Where it was due before it was deleted, nothing is known, and the next one is given more time.
  for (let [id, dueMs] = [4, 1_000]; ; [id, dueMs] = [id * 10, dueMs * 2]) {
    const madeMs = performance.now();
    await member.actor(`${id}/reminders/never`, { dueTime: `${dueMs}ms` });
    await member.actor(`${id}/reminders/after`, { dueTime: `${dueMs}ms` });
    const deleted = await member.actor(`${id}/reminders/never`, undefined, { method: "DELETE" });
    if (performance.now() - madeMs >= dueMs) {
      continue;
    }
    expect(deleted.status).toBe(204);
    expect((await read(String(id), "never"))[0]).toBe(404);
    await until("the other one has fired", () => fired(String(id), "after") === 1);
    expect(fired(String(id), "never")).toBe(0);
    break;
  }
});

it("the header that cancels ends one trigger, which is not tried again", async () => {
  await member.actor("5/reminders/stop", { dueTime: "0s" });
  await until("it is gone", async () => (await read("5", "stop"))[0] === 404);
  expect(fired("5", "stop")).toBe(1);
});

it("reminders are for hosted types, and periods have a form", async () => {
  const elsewhere = await member.sidecar.fetch("/v1.0/actors/u/1/reminders/r", { method: "POST", body: "{}" });
  expect([elsewhere.status, await elsewhere.text()]).toEqual([
    403,
    '{"errorCode":"ERR_ACTOR_REMINDER_NON_HOSTED","message":"operations on actor reminders are only possible on hosted actor types"}',
  ]);
  const odd = await member.actor("6/reminders/r", { period: "often" });
  expect([odd.status, await odd.text()]).toEqual([500, expect.stringContaining("unsupported period format: often")]);
});
