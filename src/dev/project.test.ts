import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { planFolder } from "./project.ts";
import { PlanError } from "./run-plan-error.ts";
import { DEV_HABITS, RUN_HABITS } from "./run-plan.ts";

let root = "";
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "outrigger-project-"));
});
afterEach(() => rm(root, { recursive: true }));

async function write(path: string, text: string | object): Promise<void> {
  const absolute = join(root, path);
  await mkdir(dirname(absolute), { recursive: true });
  await writeFile(absolute, typeof text === "string" ? text : JSON.stringify(text));
}

const scripts = (dev: string | undefined, start?: string): object => ({ scripts: { dev, start } });
const plan = (options = { env: {}, habits: DEV_HABITS }) => planFolder(root, options);

describe("planFolder", () => {
  it.each(["dapr.yaml", "dapr.yml"])("takes %s before any package", async (name) => {
    await write("package.json", scripts("node a.js"));
    await write("web/package.json", scripts("node a.js"));
    await write(name, "version: 1\nname: shop\nother: 1\napps: [{appDirPath: web, appPort: 80, command: [a]}]\n");
    const { apps, ...rest } = await plan();
    expect(rest).toEqual({
      name: "shop",
      runFile: join(root, name),
      warnings: [`${join(root, name)}:3:1: unknown field "other" is ignored`],
    });
    expect(apps.map(({ appId, command }) => [appId, command])).toEqual([["web", ["a"]]]);
  });

  it("takes the folder's own package, and then none of its subfolders'", async () => {
    await write("package.json", { ...scripts("node a.js"), outrigger: { appId: "shop", appPort: 80 } });
    await write("web/package.json", scripts("node a.js"));
    const { apps, ...rest } = await plan();
    expect(rest).toEqual({ name: root.split("/").at(-1), runFile: undefined, warnings: [] });
    expect(apps).toEqual([
      {
        appId: "shop",
        directory: root,
        command: ["npm", "run", "dev"],
        env: {},
        appPort: 80,
        appProtocol: "http",
        appChannelAddress: "127.0.0.1",
        ports: { http: 0, grpc: 0, internalGrpc: 0, metrics: 0 },
        resourcesPaths: [],
        configPaths: [],
        sidecarFlags: [],
        appLog: "console",
        sidecarLog: "console",
        logDirectory: join(root, ".dapr", "logs"),
      },
    ]);
  });

  it("takes the packages of subfolders, by name, and says which cannot be called", async () => {
    await write("stock/package.json", {
      ...scripts(undefined, "node b.js"),
      outrigger: { appPort: 81, appProtocol: "GRPC" },
    });
    await write("orders.v2/package.json", scripts("node a.js", "node b.js"));
    await write("lib/package.json", { scripts: { test: "vitest" } });
    await write("odd/package.json", "[]");
    await write("node_modules/dep/package.json", scripts("x"));
    await write("node_modules/package.json", scripts("x"));
    await write(".hidden/package.json", scripts("x"));
    await write("deep/inner/package.json", scripts("x"));
    await write("package.json", { private: true });
    const { apps, warnings } = await plan();
    expect(
      apps.map(({ appId, directory, command, appPort, appProtocol }) => [
        appId,
        directory,
        command[2],
        appPort,
        appProtocol,
      ]),
    ).toEqual([
      ["orders-v2", join(root, "orders.v2"), "dev", undefined, "http"],
      ["stock", join(root, "stock"), "start", 81, "grpc"],
    ]);
    expect(warnings).toEqual([
      `app "orders-v2" cannot be called: no port is known; where it listens, say so in ${join(root, "orders.v2", "package.json")}: "outrigger": { "appPort": 3000 }`,
    ]);
  });

  it("passes over scripts that would start it again", async () => {
    await write("package.json", scripts("outrigger dev ."));
    await write("a/package.json", scripts("npx outrigger --x dev", "node a.js"));
    await write("b/package.json", scripts("cd .. && ./bin/dapr run -f ."));
    await write("c/package.json", scripts("node outrigger-dev.js run"));
    const { apps } = await plan();
    expect(apps.map(({ appId, command }) => [appId, command[2]])).toEqual([
      ["a", "start"],
      ["c", "dev"],
    ]);
  });

  it("looks for resources in the app's .dapr folder, that of the whole, and the home folder where that is a habit", async () => {
    const home = join(root, ".home");
    await write(".home/.dapr/components/x.yaml", "");
    await write(".home/.dapr/config.yaml", "");
    await write("a/package.json", scripts("x"));
    await write("b/package.json", scripts("x"));
    const found = async (habits: typeof RUN_HABITS) =>
      (await plan({ env: { HOME: home }, habits })).apps.map(({ resourcesPaths, configPaths }) => [
        ...resourcesPaths,
        ...configPaths,
      ]);
    const ofHome = [join(home, ".dapr/components"), join(home, ".dapr/config.yaml")];
    expect(await found(RUN_HABITS)).toEqual([ofHome, ofHome]);
    expect(await found(DEV_HABITS)).toEqual([[], []]);
    await write(".dapr/resources/x.yaml", "");
    await write(".dapr/config.yaml", "");
    await write("b/.dapr/resources/x.yaml", "");
    expect(await found(RUN_HABITS)).toEqual([
      [join(root, ".dapr/resources"), join(root, ".dapr/config.yaml")],
      [join(root, "b/.dapr/resources"), join(root, ".dapr/config.yaml")],
    ]);
  });

  it("says what it looked for when there is nothing", async () => {
    await write("lib/package.json", { scripts: { test: "vitest" } });
    await expect(plan()).rejects.toThrow(
      new PlanError(
        `nothing to run in ${root}: it has no dapr.yaml, and neither it nor a folder in it has a package.json with a "dev" or "start" script; write a dapr.yaml that lists the apps, or name another folder`,
      ),
    );
  });

  it("refuses what is no folder", async () => {
    await expect(planFolder(join(root, "none"), { env: {}, habits: DEV_HABITS })).rejects.toThrow(
      new PlanError(`the folder ${join(root, "none")} does not exist`),
    );
  });

  it.each([
    ["{", "is no JSON: "],
    [{ ...scripts("x"), outrigger: { appPort: "80" } }, ": outrigger.appPort must be a whole number from 1 to 65535"],
    [{ ...scripts("x"), outrigger: { appId: "a.b" } }, ': outrigger.appId: "a.b" cannot be an app id'],
    [{ ...scripts("x"), outrigger: { appId: 7 } }, ": outrigger.appId: it must be text"],
    [{ ...scripts("x"), outrigger: { appProtocol: "tcp" } }, ": outrigger.appProtocol must be one of http, https,"],
    [`{"scripts": {"dev": "${"x".repeat(1024 * 1024)}"}}`, "is larger than a package.json may be"],
  ])("refuses the package %.60j", async (text, complaint) => {
    await write("package.json", text);
    await expect(plan()).rejects.toThrow(PlanError);
    await expect(plan()).rejects.toThrow(complaint);
    await expect(plan()).rejects.toThrow(join(root, "package.json"));
  });

  it("refuses two apps of one name", async () => {
    await write("a/package.json", scripts("x"));
    await write("b/package.json", { ...scripts("x"), outrigger: { appId: "a" } });
    await expect(plan()).rejects.toThrow(
      `the apps in ${join(root, "a")} and ${join(root, "b")} are both called "a"; name one in its package.json: "outrigger": { "appId": "…" }`,
    );
  });

  it("has a limit on folders", async () => {
    await Promise.all(Array.from({ length: 201 }, (_, index) => mkdir(join(root, `f${index}`))));
    await expect(plan()).rejects.toThrow(`${root} has 201 folders, more than are searched for apps (200)`);
  });
});
