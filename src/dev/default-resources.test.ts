import { mkdir, mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from "node:fs/promises";
import { DatabaseSync } from "node:sqlite";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { silentLogger } from "../kit/silent-logger.ts";
import { loadResources } from "../resources/sources/files.ts";
import { writeDefaultResources } from "./default-resources.ts";
import { PlanError } from "./run-plan-error.ts";
import type { AppPlan, RunPlan } from "./types.ts";

let root = "";
let dataDir = "";
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "outrigger-defaults-"));
  dataDir = join(root, "data");
});
afterEach(() => rm(root, { recursive: true }));

async function write(path: string, text: string): Promise<void> {
  await mkdir(dirname(join(root, path)), { recursive: true });
  await writeFile(join(root, path), text);
}

const component = (name: string, type: string, more = ""): string =>
  `apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata:\n  name: ${name}\nspec:\n  type: ${type}\n  version: v1\n${more}`;

function app(appId: string, ...folders: readonly string[]): AppPlan {
  return {
    appId,
    directory: root,
    command: [],
    env: {},
    appPort: undefined,
    appProtocol: "http",
    appChannelAddress: "127.0.0.1",
    ports: { http: 0, grpc: 0, internalGrpc: 0, metrics: 0 },
    resourcesPaths: folders.map((folder) => join(root, folder)),
    configPaths: [],
    sidecarFlags: [],
    appLog: "console",
    sidecarLog: "console",
    logDirectory: root,
  };
}

const planOf = (...apps: readonly AppPlan[]): RunPlan => ({ name: "x", runFile: undefined, apps, warnings: [] });

/** What each app's sidecar loads, as `name type`. */
async function loaded(plan: RunPlan): Promise<Readonly<Record<string, readonly string[]>>> {
  const folder = await writeDefaultResources({ dataDir, plan });
  const result: Record<string, readonly string[]> = {};
  for (const { appId, resourcesPaths } of plan.apps) {
    const options = { paths: [folder, ...resourcesPaths], namespace: "", appId, logger: silentLogger };
    const { components, problems } = await loadResources(options);
    expect(problems.filter(({ file }) => file.startsWith(dataDir))).toEqual([]);
    result[appId] = components.map(({ name, type }) => `${name} ${type}`).toSorted();
  }
  return result;
}

const DEFAULTS = [
  "configstore configuration.sqlite",
  "lockstore lock.sqlite",
  "pubsub pubsub.sqlite",
  "statestore state.sqlite",
];

describe("writeDefaultResources", () => {
  it("gives every app all four, each family in one database file under the data folder", async () => {
    expect(await loaded(planOf(app("a"), app("b")))).toEqual({ a: DEFAULTS, b: DEFAULTS });
    const folder = join(dataDir, "resources");
    expect(await readdir(folder)).toEqual(["configstore.yaml", "lockstore.yaml", "pubsub.yaml", "statestore.yaml"]);
    expect(await readFile(join(folder, "statestore.yaml"), "utf8")).toBe(
      `# Written by outrigger dev, and again at every start: declare a component of your own to replace it.
apiVersion: dapr.io/v1alpha1
kind: Component
metadata:
  name: statestore
spec:
  type: state.sqlite
  version: v1
  metadata:
    - name: connectionString
      value: "file://${dataDir}/state.db"
    - name: actorStateStore
      value: "true"
scopes:
  - "a"
  - "b"
`,
    );
  });

  it("leaves a family alone that the app's own resources have a component of, whatever its name", async () => {
    await write("own/orders.yaml", component("orders-db", "state.redis"));
    await write("own/config.yaml", component("c", "configuration.redis"));
    expect(await loaded(planOf(app("a", "own"), app("b")))).toEqual({
      a: ["c configuration.redis", "lockstore lock.sqlite", "orders-db state.redis", "pubsub pubsub.sqlite"],
      b: DEFAULTS,
    });
  });

  it("leaves a name alone that is taken by another kind of component", async () => {
    await write("own/pubsub.yaml", component("pubsub", "bindings.cron"));
    expect(await loaded(planOf(app("a", "own"), app("b")))).toMatchObject({
      a: expect.arrayContaining(["pubsub bindings.cron"]) as unknown,
      b: DEFAULTS,
    });
  });

  it("gives one app a default beside another's component of the same name", async () => {
    await write("own/statestore.yaml", component("statestore", "state.in-memory"));
    expect(await loaded(planOf(app("a", "own"), app("b")))).toMatchObject({
      a: expect.arrayContaining(["statestore state.in-memory"]) as unknown,
      b: DEFAULTS,
    });
  });

  it("does not count components that are for other apps", async () => {
    await write("own/orders.yaml", component("orders-db", "state.redis", "scopes: [b]\n"));
    expect((await loaded(planOf(app("a", "own"))))["a"]).toEqual(DEFAULTS);
  });

  it("takes a component with a slip of the pen for declared", async () => {
    await write("own/state.yaml", component("statestore", "'state.redis'").replace("version: v1", "version: [v1"));
    await write("own/pubsub.yaml", component('"pubsub"', "x.y", "  ignoreErrors: maybe\n"));
    expect((await loaded(planOf(app("a", "own"))))["a"]).toEqual([
      "configstore configuration.sqlite",
      "lockstore lock.sqlite",
    ]);
  });

  it("goes on without a resources folder that cannot be read, and with a name that is there twice", async () => {
    await write("own/a.yaml", component("s", "state.redis"));
    await write("own/b.yaml", component("s", "state.redis"));
    const plan = planOf(app("a", "gone", "own"));
    const folder = await writeDefaultResources({ dataDir, plan });
    expect(await readdir(folder)).toHaveLength(4);
  });

  it("removes a default that nobody wants any more, and leaves the others' files as they are", async () => {
    await writeDefaultResources({ dataDir, plan: planOf(app("a")) });
    const kept = join(dataDir, "resources", "pubsub.yaml");
    await utimes(kept, 1, 1);
    await write("own/orders.yaml", component("orders-db", "state.redis"));
    expect((await loaded(planOf(app("a", "own"))))["a"]).toEqual(
      [...DEFAULTS.slice(0, 3), "orders-db state.redis"].toSorted(),
    );
    expect(await readdir(dirname(kept))).toEqual(["configstore.yaml", "lockstore.yaml", "pubsub.yaml"]);
    expect((await stat(kept)).mtimeMs).toBe(1000);
  });

  it("names database files that SQLite finds in folders with any name", async () => {
    dataDir = join(root, "a b#é%41?x=1&y\"'");
    await mkdir(dataDir);
    const plan = planOf(app("a"));
    const folder = await writeDefaultResources({ dataDir, plan });
    const options = { paths: [folder], namespace: "", appId: "a", logger: silentLogger };
    const { components } = await loadResources(options);
    for (const { metadata } of components) {
      const database = new DatabaseSync(metadata.find(({ name }) => name === "connectionString")?.value ?? "");
      database.exec("CREATE TABLE t (x)");
      database.close();
    }
    expect(await readdir(dataDir)).toEqual(["configuration.db", "lock.db", "pubsub.db", "resources", "state.db"]);
  });

  it("says where it could not write", async () => {
    await write("data", "a file");
    const error = await writeDefaultResources({ dataDir, plan: planOf(app("a")) }).catch((one: unknown) => one);
    expect(error).toBeInstanceOf(PlanError);
    expect(String(error)).toContain(`the default components cannot be written to ${join(dataDir, "resources")}: `);
  });
});
