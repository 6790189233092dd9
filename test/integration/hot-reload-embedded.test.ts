import { expect, it } from "vitest";
import { createRuntime } from "../../src/embed/index.ts";
import { component, temporaryFolder } from "../harness/resources.ts";

it("an embedded runtime reads its folders again when it is told to", async () => {
  await using folder = await temporaryFolder();
  await folder.write("a.yaml", component("first", "state.in-memory"));
  const runtime = await createRuntime({ appId: "shop", resourcesPaths: [folder.path] });
  const names = (): readonly string[] => runtime.control.metadata().components.map(({ name }) => name);
  await folder.write("b.yaml", component("second", "state.in-memory"));
  expect(names()).toEqual(["first"]);
  expect(await runtime.reload()).toMatchObject({ changes: 1, problems: [] });
  expect(names()).toEqual(["first", "second"]);
  await folder.write("b.yaml", "kind: [");
  expect((await runtime.reload())?.problems).toHaveLength(1);
  expect(names()).toEqual(["first", "second"]);
  await runtime.close();
});

it("one without folders has nothing to read", async () => {
  const runtime = await createRuntime({ appId: "shop" });
  expect(await runtime.reload()).toBeUndefined();
  await runtime.close();
});
