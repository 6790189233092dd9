import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { type DevFolder, devFolder, startOutrigger } from "../harness/outrigger-program.ts";
import { component, temporaryFolder } from "../harness/resources.ts";
import { SchedulerProgram, schedulerPorts } from "../harness/scheduler-program.ts";
import { freePort } from "../harness/test-app.ts";
import { until } from "../harness/until.ts";

const UP = "Ctrl-C ends all.";

/** What is due then is not due before the session is over that it was asked for in, also on a busy machine. */
const AFTER_SESSION_S = 12;

/** An app of the official SDK, which says on its standard output what its actors live through. */
const SDK_APP = `
import { AbstractActor, DaprServer, Temporal } from ${JSON.stringify(import.meta.resolve("@dapr/dapr"))};
const seconds = (count) => Temporal.Duration.from({ seconds: count });
class Counter extends AbstractActor {
  async add(by) {
    const state = this.getStateManager();
    const [known, before] = await state.tryGetState("count");
    const count = (known ? before : 0) + by;
    await state.setState("count", count);
    await state.saveState();
    return count;
  }
  async tickSoon() {
    await this.registerActorTimer("timer", "ticked", seconds(0), seconds(3600), undefined, "tick");
    return 0;
  }
  async ticked(data) {
    console.log("timer: " + data);
    await this.unregisterActorTimer("timer");
  }
  async remind(afterSeconds) {
    await this.registerActorReminder("reminder", seconds(afterSeconds), undefined, undefined, "wake up");
    return 0;
  }
  async receiveReminder(data) {
    console.log("reminder: " + data);
  }
}
const server = new DaprServer({
  serverHost: "127.0.0.1",
  serverPort: process.env.APP_PORT,
  clientOptions: { daprHost: "127.0.0.1", daprPort: process.env.DAPR_HTTP_PORT },
  logger: { level: "error" },
});
await server.actor.init();
await server.actor.registerActor(Counter);
await server.start();
`;

/** Hosts the actor type \`Peer\`, answers calls of it with its own name, and says which jobs it is given. */
const PEER_APP = `
import { createServer } from "node:http";
createServer((request, response) => {
  if (request.url.startsWith("/job/")) console.log("job: " + request.url);
  response.setHeader("content-type", "application/json");
  response.end(request.url === "/dapr/config" ? '{"entities":["Peer"]}' : JSON.stringify(process.env.APP_ID));
}).listen(Number(process.env.APP_PORT), "127.0.0.1");
`;

async function call(folder: DevFolder, app: string, actor: string, method: string, body?: unknown): Promise<unknown> {
  const path = `/v1.0/actors/${actor}/method/${method}`;
  const answer = await folder.dapr(app, path, { method: "POST", body: JSON.stringify(body ?? null) });
  expect(answer.status, `${path}: ${await answer.clone().text()}`).toBe(200);
  return await answer.json();
}

it("hosts the actors of an SDK's app, whose reminders outlive the session", async () => {
  await using folder = await devFolder([{ id: "counters", source: SDK_APP }]);
  {
    await using dev = startOutrigger(["dev"], { cwd: folder.path });
    await dev.says(UP);
    expect(await call(folder, "counters", "Counter/a", "add", 2)).toBe(2);
    expect(await call(folder, "counters", "Counter/a", "add", 3)).toBe(5);
    await call(folder, "counters", "Counter/a", "tickSoon");
    await dev.says("timer: tick");
    await call(folder, "counters", "Counter/a", "remind", AFTER_SESSION_S);
    expect(await dev.signal("SIGINT")).toMatchObject({ code: 0 });
    expect(dev.output).not.toContain("reminder: wake up");
    expect(dev.output).not.toContain("level=error");
  }
  await using again = startOutrigger(["dev"], { cwd: folder.path });
  await again.says("reminder: wake up");
  expect(await call(folder, "counters", "Counter/a", "add", 1)).toBe(6);
});

it.each([
  ["sidecars in this process", ["dev"]],
  ["sidecars in processes of their own", ["dev", "--separate-sidecars"]],
  ["the sidecars of a run file", ["run", "-f", "."]],
])("distributes the actors of two apps among %s, and triggers their jobs", async (_which, args) => {
  await using folder = await devFolder(
    [{ id: "one", source: PEER_APP }, { id: "two", source: PEER_APP }, { id: "caller" }],
    "common:\n  resourcesPath: ./resources\n",
  );
  await mkdir(join(folder.path, "resources"));
  await folder.write("resources/store.yaml", component("store", "state.in-memory", { actorStateStore: "true" }));
  await using dev = startOutrigger(args, { cwd: folder.path });
  const answers = new Set<unknown>();
  await until(
    "both have answered",
    async () => {
      const path = `/v1.0/actors/Peer/${performance.now()}/method/who`;
      const answer = await folder.dapr("caller", path, { method: "POST", body: "null" }).catch(() => undefined);
      answers.add(answer?.status === 200 ? await answer.json() : undefined);
      return answers.has("one") && answers.has("two");
    },
    30_000,
  );
  const job = { method: "POST", body: '{"dueTime":"0s"}' };
  expect((await folder.dapr("two", "/v1.0/jobs/now", job)).status).toBe(204);
  await dev.says("job: /job/now");
  expect(await dev.signal("SIGINT")).toMatchObject({ code: 0 });
});

it("keeps jobs in the data folder, which has nothing of a scheduler before there is one", async () => {
  await using folder = await devFolder([{ id: "one", source: PEER_APP }]);
  const kept = join(folder.path, ".outrigger/scheduler");
  {
    await using dev = startOutrigger(["dev"], { cwd: folder.path });
    await dev.says(UP);
    expect(existsSync(kept)).toBe(false);
    for (const [name, dueTime] of [
      ["now", "0s"],
      ["later", `${AFTER_SESSION_S}s`],
    ]) {
      const body = JSON.stringify({ dueTime });
      expect((await folder.dapr("one", `/v1.0/jobs/${name}`, { method: "POST", body })).status).toBe(204);
    }
    await dev.says("job: /job/now");
    expect(await dev.signal("SIGINT")).toMatchObject({ code: 0 });
    expect(existsSync(kept)).toBe(true);
  }
  await using again = startOutrigger(["dev"], { cwd: folder.path });
  await again.says("job: /job/later");
  await until("it is over", async () => (await folder.dapr("one", "/v1.0/jobs/later")).status === 500);
});

it("gives a single app of `outrigger run` its jobs, in a folder that is made with the first of them", async () => {
  await using folder = await devFolder([{ id: "one", source: PEER_APP }]);
  const [appPort, daprPort] = [await freePort(), await freePort()];
  const flags = ["--app-id", "one", "--app-port", String(appPort), "--dapr-http-port", String(daprPort)];
  await using run = startOutrigger(["run", ...flags, "--", "node", "one/app.mjs"], { cwd: folder.path });
  const job = { method: "POST", body: '{"dueTime":"0s"}' };
  const jobs = `http://127.0.0.1:${daprPort}/v1.0/jobs`;
  await until("the job is taken", async () => (await fetch(`${jobs}/now`, job)).status === 204, 30_000);
  await run.says("job: /job/now");
  expect(existsSync(join(folder.path, ".outrigger/run/one/scheduler.db"))).toBe(true);
});

it("uses the scheduler that the run file names", async () => {
  await using elsewhere = await temporaryFolder();
  await using scheduler = await new SchedulerProgram(elsewhere.path, await schedulerPorts()).ready();
  const lines = `    schedulerHostAddress: 127.0.0.1:${scheduler.ports.api}\n`;
  await using folder = await devFolder([{ id: "one", source: PEER_APP, lines }]);
  await using dev = startOutrigger(["dev"], { cwd: folder.path });
  await dev.says(UP);
  const job = { method: "POST", body: '{"dueTime":"0s"}' };
  expect((await folder.dapr("one", "/v1.0/jobs/now", job)).status).toBe(204);
  await dev.says("job: /job/now");
  expect(existsSync(join(folder.path, ".outrigger/scheduler"))).toBe(false);
});
