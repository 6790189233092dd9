import { join } from "node:path";
import { writeFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import {
  type DevFolder,
  devFolder,
  isAlive,
  type Program,
  startOutrigger,
  TINY_APP,
} from "../harness/outrigger-program.ts";
import { until } from "../harness/until.ts";

const UP = "Ctrl-C ends all.";
const publish = (n: number): RequestInit => ({
  method: "POST",
  body: JSON.stringify({ n }),
  headers: { "content-type": "application/json" },
});

function received(folder: DevFolder, appId: string): Promise<string> {
  return folder.dapr("other", `/v1.0/invoke/${appId}/method/received`).then((answer) => answer.text());
}

describe.each([
  ["in one process", []],
  ["in processes of their own", ["--separate-sidecars"]],
])("sidecars %s", (_where, flags) => {
  it("see an app that was killed come back, and give it what was published meanwhile", async () => {
    await using folder = await devFolder([{ id: "orders" }, { id: "other" }]);
    await using dev = startOutrigger(["dev", ...flags], { cwd: folder.path });
    await dev.says(UP);
    const [before] = (await folder.session()).apps;
    process.kill(before?.appPid ?? 0, "SIGKILL");
    await dev.says("orders was ended by SIGKILL; it starts again in 1 s");
    expect((await folder.dapr("other", "/v1.0/publish/pubsub/topic", publish(1))).status).toBe(204);
    await dev.says("orders is up");
    await until("the event has arrived", async () => (await received(folder, "orders")) === '[{"n":1}]');
    const [after] = (await folder.session()).apps;
    expect(after?.appPid).not.toBe(before?.appPid);
    expect([after?.httpPort, after?.grpcPort]).toEqual([before?.httpPort, before?.grpcPort]);
  });

  it("restart with an app whose source changes, and learn its new subscriptions", async () => {
    await using folder = await devFolder([{ id: "orders" }, { id: "other" }]);
    await using dev = startOutrigger(["dev", ...flags], { cwd: folder.path });
    await dev.says(UP);
    await writeFile(join(folder.path, "orders/app.mjs"), TINY_APP.replace('topic: "topic"', 'topic: "new"'));
    await dev.says("app.mjs changed: orders starts again");
    await dev.says("orders is up");
    await folder.dapr("other", "/v1.0/publish/pubsub/topic", publish(1));
    await folder.dapr("other", "/v1.0/publish/pubsub/new", publish(2));
    await until("the event has arrived", async () => (await received(folder, "orders")) !== "[]");
    expect(await received(folder, "orders")).toBe('[{"n":2}]');
    expect(dev.output).not.toMatch(/other +> other/);
  });

  it("leave no orphan when outrigger is killed", async () => {
    await using folder = await devFolder([{ id: "orders" }, { id: "other" }]);
    await using dev = startOutrigger(["dev", ...flags], { cwd: folder.path });
    await dev.says(UP);
    const { apps } = await folder.session();
    await dev.signal("SIGKILL");
    await allGone(apps.flatMap(({ appPid = 0, sidecarPid = 0 }) => [appPid, sidecarPid]));
    await using again = startOutrigger(["dev", ...flags], { cwd: folder.path });
    await again.says(UP);
  });
});

it("a sidecar that is killed comes back, with its app or beside it", async () => {
  await using folder = await devFolder([{ id: "orders" }, { id: "other" }]);
  await using dev = startOutrigger(["dev", "--separate-sidecars"], { cwd: folder.path });
  await dev.says(UP);
  const [before] = (await folder.session()).apps;
  kill(before?.sidecarPid);
  await upAgain(folder, dev, 1);
  const [between] = (await folder.session()).apps;
  expect(between?.appPid).toBe(before?.appPid);
  kill(between?.sidecarPid);
  kill(between?.appPid);
  await upAgain(folder, dev, 2);
  const [after] = (await folder.session()).apps;
  expect(after?.appPid).not.toBe(before?.appPid);
  expect(after?.httpPort).toBe(before?.httpPort);
});

function kill(pid: number | undefined): void {
  process.kill(pid ?? 0, "SIGKILL");
}

async function upAgain(folder: DevFolder, dev: Program, times: number): Promise<void> {
  await until(`up for the ${times}. time`, () => dev.output.split("orders is up").length === times + 1);
  await until("it can be called", async () => {
    const answer = await folder.dapr("other", "/v1.0/invoke/orders/method/hello");
    return (await answer.text()) === "orders answers /hello";
  });
}

async function allGone(pids: readonly number[]): Promise<void> {
  await until("all processes are gone", () => !pids.some(isAlive));
}
