import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { component } from "../harness/resources.ts";
import { startSidecarProgram } from "../harness/sidecar-program.ts";
import { eventually } from "../harness/watched-sidecar.ts";

const FAILED =
  "process component a error: [INIT_COMPONENT_FAILURE]: initialization error occurred for a (state.sqlite/v1): [INIT_COMPONENT_FAILURE]: initialization error occurred for a (state.sqlite/v1): missing connection string";

it("another type under a known name that does not come up: gone with ignoreErrors, the end without", async () => {
  await using one = await startSidecarProgram({ resources: component("a", "state.in-memory") });
  const names = async (): Promise<readonly string[]> => {
    const metadata = (await (await one.fetch("/v1.0/metadata")).json()) as { components?: { name: string }[] };
    return (metadata.components ?? []).map(({ name }) => name);
  };
  const broken = component("a", "state.sqlite");
  await one.folder.write("resources.yaml", broken.replace("spec:\n", "spec:\n  ignoreErrors: true\n"));
  await eventually("it is gone", async () => (await names()).length === 0);
  await one.program.says(`Ignoring error processing component: ${FAILED}`);
  await one.folder.write("resources.yaml", component("a", "state.in-memory"));
  await eventually("it is back", async () => (await names()).length === 1);
  await one.folder.write("resources.yaml", broken);
  expect(await one.program.ended).toMatchObject({ code: 1 });
  expect(one.program.output).toContain(`Error processing component, daprd will exit gracefully: ${FAILED}`);
});

it("two components of one name end it with what Dapr says", async () => {
  await using one = await startSidecarProgram({ resources: component("a", "state.in-memory") });
  await one.folder.write("more.yaml", component("a", "pubsub.in-memory"));
  expect(await one.program.ended).toMatchObject({ code: 1 });
  expect(one.program.output).toContain(
    "Fatal error from runtime: failed to load resources from disk: duplicate definition of Component name a",
  );
});

it("a folder that is gone is no reason to end, and is followed again when it is back", async () => {
  await using one = await startSidecarProgram({ resources: component("a", "state.in-memory") });
  await rm(one.folder.path, { recursive: true });
  await one.program.says(`Resources stay as they are: open ${one.folder.path}: no such file or directory`);
  const save = (): Promise<Response> =>
    one.fetch("/v1.0/state/a", {
      method: "POST",
      body: '[{"key":"k","value":1}]',
      headers: { "content-type": "application/json" },
    });
  expect((await save()).status).toBe(204);
  await using folder = await madeAnew(one.folder.path);
  await folder.write("resources.yaml", component("b", "state.in-memory"));
  await eventually("the new file counts", async () => (await save()).status === 400);
  expect(await one.program.signal("SIGTERM")).toMatchObject({ code: 0 });
});

async function madeAnew(path: string) {
  await mkdir(path);
  return {
    write: (name: string, text: string) => writeFile(join(path, name), text),
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }),
  };
}
