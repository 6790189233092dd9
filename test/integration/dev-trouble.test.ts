import { createServer } from "node:http";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { component } from "../harness/resources.ts";
import { devFolder, startOutrigger } from "../harness/outrigger-program.ts";
import { closed, listening } from "../harness/test-app.ts";
import { until } from "../harness/until.ts";

const RESOURCES = [component("cache", "state.redsi"), component("orders", "state.sqlite")].join("---\n");

it.each([
  ["in one process", []],
  ["in processes of their own", ["--separate-sidecars"]],
])("names each thing that is wrong and its fix once, while the rest runs, with sidecars %s", async (_where, flags) => {
  await using folder = await devFolder(
    [
      { id: "healthy" },
      { id: "crashing", source: 'console.error("Error: DATABASE is not set");\nprocess.exit(2);' },
      { id: "silent", source: "setInterval(() => undefined, 1000);" },
      { id: "blocked" },
      { id: "missing", command: ["no-such-program"] },
    ],
    "common:\n  resourcesPath: ./\n",
  );
  await folder.write("resources.yaml", RESOURCES);
  await folder.write("half.yaml", "apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata: [\n");
  const stranger = createServer((_request, response) => response.end("stranger"));
  await listening(stranger, folder.appPorts.get("blocked"));
  await using dev = startOutrigger(["dev", ...flags], { cwd: folder.path });
  const said = await dev.says("Ctrl-C ends all.");

  const file = join(folder.path, "resources.yaml");
  const port = (app: string): number => folder.appPorts.get(app) ?? 0;
  for (const text of [
    `component cache (state.redsi) at ${file}:1 does not work: couldn't find state store state.redsi/v1`,
    "Fix: did you mean state.redis?",
    `component orders (state.sqlite) at ${file}:10 does not work: `,
    `${join(folder.path, "half.yaml")}:4:1: `,
    "crashing ended with exit code 2 before it was up.",
    "Error: DATABASE is not set",
    `starts again when a file in ${join(folder.path, "crashing")} changes`,
    `silent runs, but does not listen on 127.0.0.1:${port("silent")} after 5 s; still waiting`,
    `port ${port("blocked")}, on which blocked is to listen, is taken by pid ${process.pid} (`,
    "cannot start no-such-program: no such program in the PATH",
  ]) {
    expect(said.replaceAll(/^\S+ +! +Error: /gm, "").split(text), text).toHaveLength(2);
  }
  for (const [app, state] of [
    ["healthy", "up"],
    ["crashing", "waits for a change"],
    ["silent", "does not listen yet"],
    ["blocked", "waits for a port"],
    ["missing", "waits for a change"],
  ]) {
    expect(said).toMatch(new RegExp(`^outrigger +> ${app} +${state} +`, "m"));
  }
  const healthy = await folder.dapr("healthy", "/v1.0/invoke/healthy/method/hello");
  expect(await healthy.text()).toBe("healthy answers /hello");

  await closed(stranger);
  await dev.says("blocked is up");
  await writeFile(join(folder.path, "crashing/app.mjs"), 'console.log("repaired");');
  await dev.says("| repaired");
  await folder.write("resources.yaml", component("cache", "state.in-memory"));
  await dev.says("component cache (state.in-memory) works now");
  await until(
    "the store can be used",
    async () => (await folder.dapr("healthy", "/v1.0/state/cache/k")).status === 204,
  );
  expect(await dev.signal("SIGINT")).toMatchObject({ code: 0 });
});
