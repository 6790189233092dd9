import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { devFolder, isAlive, startOutrigger } from "../harness/outrigger-program.ts";
import { component, temporaryFolder } from "../harness/resources.ts";
import { freePort } from "../harness/test-app.ts";
import { until } from "../harness/until.ts";

/** What scripts and guides written for `dapr run` count on, as the Dapr CLI was seen to do it. */

/** Says its process id, then that it was asked to end, which it does with the exit code 3. */
const POLITE_APP = `
setInterval(() => undefined, 1000);
process.on("SIGTERM", () => console.log("asked to end") ?? process.exit(3));
console.log("pid", process.pid);
`;

interface Metadata {
  readonly extended: Readonly<Record<string, string>>;
  readonly components?: readonly { readonly name: string }[];
}

const pidIn = (output: string): number | undefined => Number(/ pid (\d+)/.exec(output)?.[1] ?? 0) || undefined;

it.each(["SIGINT", "SIGTERM"] as const)(
  "on %s asks all that the app has started to end, and ends well",
  async (name) => {
    await using folder = await temporaryFolder();
    await folder.write("app.mjs", POLITE_APP);
    // A shell between us and the app, as with `npm start`.
    await using run = startOutrigger(["run", "-a", "x", "--", "sh", "-c", "node app.mjs; true"], { cwd: folder.path });
    const pid = await until("the app says its id", () => pidIn(run.output));
    expect(await run.signal(name)).toMatchObject({ code: 0 });
    expect(run.output).toContain("asked to end");
    await until("what the shell had started is gone", () => !isAlive(pid));
  },
);

it("passes words on as they are, and writes the command into the sidecar's metadata", async () => {
  await using folder = await temporaryFolder();
  const httpPort = await freePort();
  const script = "console.log(JSON.stringify(process.argv.slice(2))); setInterval(() => undefined, 1000)";
  await folder.write("app.mjs", script);
  const command = ["node", "app.mjs", "two words", "--app-id", "$HOME", ""];
  await using run = startOutrigger(["run", "-a", "x", "-H", String(httpPort), "--", ...command], { cwd: folder.path });
  await run.says(JSON.stringify(command.slice(2)));
  const { extended } = await until("the command is in the metadata", async () => {
    const found = (await (await fetch(`http://127.0.0.1:${httpPort}/v1.0/metadata`)).json()) as Metadata;
    return found.extended["appPID"] !== undefined && found;
  });
  expect(extended["appCommand"]).toBe(command.join(" "));
  expect(run.output).toContain(`Updating metadata for app command: ${command.join(" ")}`);
});

it("ends badly for a program that is not there, and names it", async () => {
  await using folder = await temporaryFolder();
  await using run = startOutrigger(["run", "-a", "x", "--", "no-such-program"], { cwd: folder.path });
  expect((await run.ended).code).toBe(1);
  expect(run.output).toContain("no-such-program");
  expect(run.output).not.toContain("You're up and running!");
});

it("does not wait for an app that never listens", async () => {
  await using folder = await temporaryFolder();
  await using run = startOutrigger(
    ["run", "-a", "x", "-p", String(await freePort()), "--", "node", "-e", "setInterval(() => undefined, 1000)"],
    { cwd: folder.path },
  );
  await run.says("You're up and running! Both Dapr and your app logs will appear here.");
  expect(await run.signal("SIGINT")).toMatchObject({ code: 0 });
});

it("takes paths of a run file's common section from its folder and those of an app from the app's", async () => {
  await using folder = await devFolder(
    [
      { id: "common" },
      { id: "own", lines: "    resourcesPath: ../for-own\n    env: { WORD: own }\n" },
      { id: "convention" },
    ],
    "common:\n  resourcesPath: ./for-all\n  env: { WORD: common, OTHER: common }\n",
  );
  for (const [path, name] of [
    ["for-all", "all"],
    ["for-own", "mine"],
    ["convention/.dapr/resources", "hidden"],
  ] as const) {
    await mkdir(join(folder.path, path), { recursive: true });
    await writeFile(join(folder.path, path, "store.yaml"), component(name, "state.in-memory"));
  }
  const say = "\nconsole.log(process.cwd(), process.env.APP_ID, process.env.WORD, process.env.OTHER);\n";
  for (const app of ["common", "own", "convention"]) {
    await writeFile(join(folder.path, app, "app.mjs"), `${say}setInterval(() => undefined, 1000);\n`);
  }
  await using run = startOutrigger(["run", "-f", "dapr.yaml", "--app-port", "1"], { cwd: folder.path });
  for (const app of ["common", "own", "convention"]) {
    const word = app === "own" ? "own" : "common";
    await run.says(`== APP - ${app} == ${join(folder.path, app)} ${app} ${word} common`);
    await run.says(`Started Dapr with app id "${app}". HTTP Port: `);
    await run.says(`Writing log files to directory : ${join(folder.path, app, ".dapr/logs")}`);
    expect(run.output).toContain(`Validating config and starting app "${app}"`);
  }
  const named = await Promise.all(
    ["common", "own", "convention"].map(async (app) => {
      const { components } = (await (await folder.dapr(app, "/v1.0/metadata")).json()) as Metadata;
      return components?.map(({ name }) => name);
    }),
  );
  expect(named).toEqual([["all"], ["mine"], ["hidden"]]);
  expect(run.output).toContain(
    "The following flags are ignored when using --run-file and should be configured in the run file instead: app-port",
  );
});

it("starts the apps of a run file one after the other, in its order", async () => {
  const ids = ["z-subscriber", "b-publisher", "a-last"];
  await using folder = await devFolder(ids.map((id) => ({ id })));
  await using run = startOutrigger(["run", "-f", "."], { cwd: folder.path });
  const said = await run.says('Started Dapr with app id "a-last"');
  const starts = ids.flatMap((id) => [`starting app "${id}"`, `Started Dapr with app id "${id}"`]);
  const places = starts.map((text) => said.indexOf(text));
  expect(places).toEqual(places.toSorted((a, b) => a - b));
  expect(await run.signal("SIGINT")).toMatchObject({ code: 0 });
});

it("goes on with the next app when one cannot be started", async () => {
  await using folder = await devFolder([
    { id: "missing", listens: false, command: ["no-such-program"] },
    { id: "blocked", lines: "    configFilePath: broken.yaml\n" },
    { id: "fine" },
  ]);
  await writeFile(join(folder.path, "blocked/broken.yaml"), "kind: Configuration\nspec: [\n");
  await using run = startOutrigger(["run", "-f", "."], { cwd: folder.path });
  await run.says("== APP - fine == listening");
  expect(run.output).not.toContain("== APP - blocked ==");
});

it("keeps the apps of a run file up when one of them ends badly, and ends well when asked to", async () => {
  await using folder = await devFolder([
    { id: "short", listens: false, command: ["node", "-e", "process.exitCode = 5"] },
    { id: "missing", listens: false, command: ["no-such-program"] },
    { id: "long" },
  ]);
  await using run = startOutrigger(["run", "-f", "."], { cwd: folder.path });
  await run.says("exit status 5");
  await run.says("== APP - long == listening");
  await until("the other app is called", async () => {
    const answer = await folder.dapr("long", "/v1.0/invoke/long/method/hello");
    return (await answer.text()) === "long answers /hello";
  });
  expect(await run.signal("SIGINT")).toMatchObject({ code: 0 });
});

it.each([
  ["a run file that is not there", "nothing.yaml", undefined, "nothing.yaml"],
  ["a folder without a run file", ".", undefined, "dapr.yaml"],
  ["a run file without a version", "run.yaml", "apps:\n  - appDirPath: .\n", "version"],
  ["an app without a folder", "run.yaml", "version: 1\napps:\n  - appID: x\n", "appDirPath"],
  ["no apps", "run.yaml", "version: 1\n", "apps"],
  [
    "resources that are not there",
    "run.yaml",
    "version: 1\napps:\n  - { appDirPath: ., resourcesPath: gone }\n",
    "gone",
  ],
])("refuses %s and names it", async (_what, path, text, name) => {
  await using folder = await temporaryFolder();
  if (text !== undefined) {
    await folder.write(path, text);
  }
  await using run = startOutrigger(["run", "-f", path], { cwd: folder.path });
  expect((await run.ended).code).toBe(1);
  expect(run.output).toContain(name);
  expect(run.output).not.toContain("Started Dapr");
});
