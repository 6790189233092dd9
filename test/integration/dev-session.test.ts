import { existsSync } from "node:fs";
import { mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { component } from "../harness/resources.ts";
import { devFolder, isAlive, startOutrigger } from "../harness/outrigger-program.ts";
import { until } from "../harness/until.ts";

const UP = "Ctrl-C ends all.";

/** What an end may take on a busy machine; an app that is waited for would take for ever. */
const END_MS_MAX = 20_000;
const SAVE = { method: "POST", body: '[{"key":"k","value":"kept"}]' };
const PUBLISH = { method: "POST", body: '{"n":1}', headers: { "content-type": "application/json" } };

it("runs the apps of a dapr.yaml with durable components, tells where they are, and ends at once", async () => {
  await using folder = await devFolder([{ id: "orders" }, { id: "stock" }]);
  {
    await using dev = startOutrigger(["dev"], { cwd: folder.path });
    const said = await dev.says(UP);
    expect(said).toMatch(new RegExp(`orders +up +http://127.0.0.1:${folder.appPorts.get("orders")} +\\d+ +\\d+\n`));
    expect(said).toMatch(/^orders +\| listening$/m);
    expect(await (await folder.dapr("orders", "/v1.0/invoke/stock/method/hello")).text()).toBe("stock answers /hello");
    expect((await folder.dapr("stock", "/v1.0/state/statestore", SAVE)).status).toBe(204);
    expect((await folder.dapr("orders", "/v1.0/publish/pubsub/topic", PUBLISH)).status).toBe(204);
    for (const app of ["orders", "stock"]) {
      await until(`${app} has the event`, async () => {
        const received = await folder.dapr("orders", `/v1.0/invoke/${app}/method/received`);
        return (await received.text()) === '[{"n":1}]';
      });
    }
    const { pid, apps } = await folder.session();
    expect(apps.map(({ appId, sidecarPid, appPort }) => [appId, sidecarPid, appPort])).toEqual([
      ["orders", pid, folder.appPorts.get("orders")],
      ["stock", pid, folder.appPorts.get("stock")],
    ]);
    const { extended } = (await (await folder.dapr("orders", "/v1.0/metadata")).json()) as {
      extended: Record<string, string>;
    };
    expect(extended).toMatchObject({
      cliPID: String(dev.pid),
      appPID: String(apps[0]?.appPid),
      appCommand: "node app.mjs",
      runTemplatePath: join(folder.path, "dapr.yaml"),
    });
    const end = await dev.signal("SIGINT");
    expect(end).toMatchObject({ code: 0 });
    expect(end.afterMs).toBeLessThan(END_MS_MAX);
    expect(apps.filter(({ appPid = 0 }) => isAlive(appPid))).toEqual([]);
    expect(existsSync(join(folder.path, ".outrigger/session.json"))).toBe(false);
  }
  await using again = startOutrigger(["dev"], { cwd: folder.path });
  await again.says(UP);
  expect(await (await folder.dapr("stock", "/v1.0/state/statestore/k")).text()).toBe('"kept"');
});

it("ends an app that does not want to end within a second, and at once when asked twice", async () => {
  const source = `process.on("SIGTERM", () => console.log("not yet"));\nsetInterval(() => undefined, 1000);\nconsole.log("here");`;
  await using folder = await devFolder([{ id: "stubborn", source, listens: false }]);
  for (const signals of [1, 2]) {
    await using dev = startOutrigger(["dev", "."], { cwd: folder.path });
    await dev.says("| here");
    const { apps } = await folder.session();
    const first = dev.signal("SIGINT");
    if (signals === 2) {
      await dev.says("not yet");
      void dev.signal("SIGINT");
    }
    const end = await first;
    expect(end.code).toBe(signals === 1 ? 0 : 1);
    expect(end.afterMs).toBeLessThan(END_MS_MAX);
    await until("the app is gone", () => !isAlive(apps[0]?.appPid ?? 0));
  }
});

it("keeps its data where --data-dir says", async () => {
  await using folder = await devFolder([{ id: "orders" }]);
  await using dev = startOutrigger(["dev", "-f", "dapr.yaml", "--data-dir", "data"], { cwd: folder.path });
  await dev.says(`Data in ${join(folder.path, "data")}`);
  expect(existsSync(join(folder.path, "data/session.json"))).toBe(true);
  expect(existsSync(join(folder.path, ".outrigger"))).toBe(false);
});

it("lets relative paths in the resources of an app start at its folder", async () => {
  await using folder = await devFolder([{ id: "orders" }]);
  await mkdir(join(folder.path, "orders/.dapr/resources"), { recursive: true });
  await folder.write("orders/secrets.json", '{"key":"hidden"}');
  const resources = [
    component("secrets", "secretstores.local.file", { secretsFile: "secrets.json" }),
    component("store", "state.sqlite", { connectionString: "own.db" }),
    component("files", "bindings.localstorage", { rootPath: "files" }),
  ];
  await folder.write("orders/.dapr/resources/all.yaml", resources.join("---\n"));
  await using dev = startOutrigger(["dev"], { cwd: folder.path });
  await dev.says(UP);
  expect(await (await folder.dapr("orders", "/v1.0/secrets/secrets/key")).json()).toEqual({ key: "hidden" });
  expect(await readdir(join(folder.path, "orders"))).toEqual(expect.arrayContaining(["own.db", "files"]));
  expect(dev.output).not.toContain("starts again");
});

it("runs a folder without a run file by its packages", async () => {
  await using folder = await devFolder([{ id: "orders" }]);
  await folder.write("dapr.yaml", "");
  await rm(join(folder.path, "dapr.yaml"));
  await folder.write(
    "orders/package.json",
    JSON.stringify({ scripts: { dev: "node -e 'console.log(process.env.APP_ID)'" } }),
  );
  await using dev = startOutrigger(["dev"], { cwd: folder.path });
  await dev.says("| orders");
  await dev.says("orders has finished");
});

it("refuses what it cannot run, and says why", async () => {
  await using folder = await devFolder([]);
  await folder.write("dapr.yaml", "version: 1\napps:\n  - appID: a\n    appDirPath: ./none\n    comand: [x]\n");
  await using dev = startOutrigger(["dev"], { cwd: folder.path });
  expect(await dev.ended).toMatchObject({ code: 1 });
  expect(dev.output).toMatch(/dapr\.yaml:4:\d+: .*none/);
  await using wrong = startOutrigger(["dev", "--separate"], { cwd: folder.path });
  expect(await wrong.ended).toMatchObject({ code: 2 });
});
