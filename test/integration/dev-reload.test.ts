import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type DevFolder, devFolder, type Program, startOutrigger } from "../harness/outrigger-program.ts";
import { component, configuration } from "../harness/resources.ts";
import { until } from "../harness/until.ts";

const UP = "Ctrl-C ends all.";
const JSON_TYPE = { "content-type": "application/json" };

/** Counts the calls of each actor and the events of its topic, and forgets an actor that is deactivated. */
const COUNTING_APP = `
import { createServer } from "node:http";
const calls = new Map();
let events = 0;
createServer((request, response) => {
  request.resume();
  request.on("end", () => {
    response.setHeader("content-type", "application/json");
    const [, , , id] = request.url.split("/");
    if (request.url === "/dapr/config") return response.end('{"entities":["Counter"]}');
    if (request.url === "/dapr/subscribe") return response.end('[{"pubsubname":"pubsub","topic":"topic","route":"/events"}]');
    if (request.url === "/count") return response.end(String(events));
    if (request.url === "/events") events += 1;
    if (request.url.startsWith("/actors/")) {
      calls.set(id, request.method === "DELETE" ? 0 : (calls.get(id) ?? 0) + 1);
      return response.end(String(calls.get(id)));
    }
    response.end("{}");
  });
}).listen(Number(process.env.APP_PORT), "127.0.0.1");
`;

const RESOURCES = [
  component("memory", "state.in-memory", { actorStateStore: "true" }),
  component("pubsub", "pubsub.in-memory"),
].join("---\n");

async function started(source?: string): Promise<DevFolder> {
  const apps = source === undefined ? [{ id: "orders" }, { id: "other" }] : [{ id: "orders", source }];
  const folder = await devFolder(apps, "common:\n  resourcesPath: ./resources\n  configFilePath: ./config.yaml\n");
  await mkdir(join(folder.path, "resources"));
  await folder.write("config.yaml", configuration("  metric: { enabled: true }\n"));
  await folder.write("resources/base.yaml", RESOURCES);
  return folder;
}

/** Calls an actor, which counts, and publishes, again and again; each time must be well. */
function traffic(folder: DevFolder): {
  end(): Promise<{ readonly calls: number; readonly faults: readonly string[] }>;
} {
  const faults: string[] = [];
  let calls = 0;
  let isOver = false;
  const running = (async () => {
    while (!isOver) {
      const count = await folder.dapr("orders", "/v1.0/actors/Counter/one/method/add", { method: "POST", body: "1" });
      calls += 1;
      const text = await count.text();
      if (text !== String(calls)) faults.push(`call ${calls}: ${count.status} ${text}`);
      const event = { method: "POST", body: "1", headers: JSON_TYPE };
      const published = await folder.dapr("orders", "/v1.0/publish/pubsub/topic", event);
      if (published.status !== 204) faults.push(`event ${calls}: ${published.status} ${await published.text()}`);
    }
  })();
  running.catch(() => undefined);
  return {
    async end() {
      isOver = true;
      await running;
      return { calls, faults };
    },
  };
}

/** The processes of the session, which a restart would exchange. */
async function pids(folder: DevFolder): Promise<unknown> {
  const { apps } = await folder.session();
  return apps.map(({ appPid, sidecarPid }) => [appPid, sidecarPid]);
}

async function stored(folder: DevFolder, store: string): Promise<string> {
  return await (await folder.dapr("orders", `/v1.0/state/${store}/k`)).text();
}

function count(dev: Program, text: string): number {
  return dev.output.split(text).length - 1;
}

describe.each([
  ["in one process", []],
  ["in processes of their own", ["--separate-sidecars"]],
])("sidecars of dev %s", (_where, flags) => {
  it("take over changed resources while what is in memory, actors and topics go on", async () => {
    await using folder = await started(COUNTING_APP);
    await using dev = startOutrigger(["dev", ...flags], { cwd: folder.path });
    await dev.says(UP);
    await until("actors are served", async () => {
      const call = { method: "POST", body: "1" };
      return (await folder.dapr("orders", "/v1.0/actors/Counter/first/method/add", call)).status === 200;
    });
    const save = { method: "POST", body: '[{"key":"k","value":"kept"}]' };
    expect((await folder.dapr("orders", "/v1.0/state/memory", save)).status).toBe(204);
    const before = await pids(folder);
    const work = traffic(folder);
    await folder.write("resources/more.yaml", component("more", "state.in-memory"));
    await dev.says("Component more added: in use by orders, and nothing has restarted");
    await folder.write("resources/more.yaml", component("more", "lock.sqlite", { connectionString: "lock.db" }));
    await dev.says("Component more changed: in use by orders");
    await rm(join(folder.path, "resources/more.yaml"));
    await dev.says("Component more removed: in use by orders");
    const { calls, faults } = await work.end();
    expect(faults).toEqual([]);
    await until("all events have arrived", async () => {
      return (await (await folder.dapr("orders", "/v1.0/invoke/orders/method/count")).text()) === String(calls);
    });
    expect(await stored(folder, "memory")).toBe('"kept"');
    expect(await pids(folder)).toEqual(before);
    expect(dev.output).not.toContain("starts again");
    expect(await dev.signal("SIGINT")).toMatchObject({ code: 0 });
  });

  it("go on with what they have where a change does not work, say so, and take it over when it is mended", async () => {
    await using folder = await started();
    const good = component("db", "state.sqlite", { connectionString: join(folder.path, "good.db") });
    await folder.write("resources/db.yaml", good);
    await using dev = startOutrigger(["dev", ...flags], { cwd: folder.path });
    await dev.says(UP);
    const save = { method: "POST", body: '[{"key":"k","value":"old"}]' };
    expect((await folder.dapr("orders", "/v1.0/state/db", save)).status).toBe(204);
    const before = await pids(folder);
    const file = join(folder.path, "resources/db.yaml");

    const bad = component("db", "state.sqlite", { connectionString: join(folder.path, "no/such/folder/bad.db") });
    await folder.write("resources/db.yaml", bad);
    await dev.says(`component db (state.sqlite) at ${file}:1 is not taken over: `);
    await dev.says("The one before goes on.");
    expect(await stored(folder, "db")).toBe('"old"');

    await folder.write("resources/db.yaml", good.replace("good.db", "next.db"));
    await dev.says("Component db changed: in use by orders and other, and nothing has restarted");
    await dev.says("component db (state.sqlite) is taken over now");
    expect(await stored(folder, "db")).toBe("");

    await folder.write("resources/db.yaml", "apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata: [\n");
    await dev.says("This document is left out, and what sidecars have read from its file before stays in use");
    expect((await folder.dapr("orders", "/v1.0/state/db", save)).status).toBe(204);
    await folder.write("resources/db.yaml", good.replace("good.db", "next.db"));
    await dev.says(`${file} can be read again`);
    expect(await stored(folder, "db")).toBe('"old"');

    await folder.write("resources/twice.yaml", component("db", "state.in-memory"));
    await dev.says("duplicate definition of Component name db");
    await dev.says("What was in use before stays in use: correct that and save the file.");
    expect(await stored(folder, "db")).toBe('"old"');
    await folder.write("resources/twice.yaml", component("second", "state.in-memory"));
    await dev.says("Component second added: in use by orders and other");

    expect(await pids(folder)).toEqual(before);
    for (const once of ["is not taken over", "This document is left out", "duplicate definition"]) {
      expect(count(dev, once), once).toBe(1);
    }
    expect(dev.output).not.toContain("starts again");
  });

  it("take over all kinds, and start again for a Configuration alone", async () => {
    await using folder = await started();
    await using dev = startOutrigger(["dev", ...flags], { cwd: folder.path });
    await dev.says(UP);
    const before = (await folder.session()).apps.map(({ appPid }) => appPid);
    const document = (kind: string, version: string, name: string, spec: string): string =>
      `apiVersion: dapr.io/${version}\nkind: ${kind}\nmetadata: { name: ${name} }\nspec: ${spec}\n`;
    await folder.write(
      "resources/all.yaml",
      [
        component("upper", "middleware.http.uppercase"),
        document("HTTPEndpoint", "v1alpha1", "bank", '{ baseUrl: "http://127.0.0.1:1" }'),
        document("Resiliency", "v1alpha1", "patient", "{ policies: { timeouts: { general: 5s } } }"),
        document("Subscription", "v2alpha1", "paid", "{ pubsubname: pubsub, topic: paid, routes: { default: /paid } }"),
      ].join("---\n"),
    );
    const said = await dev.says("in use by orders and other, and nothing has restarted");
    for (const what of ["Component upper", "HTTPEndpoint bank", "Resiliency patient", "Subscription paid"]) {
      expect(said).toContain(`${what} added`);
    }
    expect(dev.output).not.toContain("starts again");

    await folder.write("config.yaml", configuration("  metric: { enabled: false }\n"));
    await dev.says("config.yaml changed: its sidecar starts again");
    await until("both are up again", () => count(dev, "orders is up") === 1 && count(dev, "other is up") === 1);
    expect((await folder.session()).apps.map(({ appPid }) => appPid)).toEqual(before);
  });
});

it("starts sidecars again for changed resources where their Configuration switches hot reload off", async () => {
  await using folder = await started();
  await folder.write("config.yaml", configuration("  features:\n    - { name: HotReload, enabled: false }\n"));
  await using dev = startOutrigger(["dev"], { cwd: folder.path });
  await dev.says(UP);
  await folder.write("resources/more.yaml", component("more", "state.in-memory"));
  await dev.says("resources changed: its sidecar starts again");
  await until("it is there", async () => (await folder.dapr("orders", "/v1.0/state/more/k")).status === 204, 30_000);
});
