import { renameSync, rmSync } from "node:fs";
import { rename } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { component } from "../harness/resources.ts";
import { startWatchedSidecar, type WatchedSidecar } from "../harness/watched-sidecar.ts";

const json = { "content-type": "application/json" };

async function save(one: WatchedSidecar, store: string): Promise<number> {
  const body = JSON.stringify([{ key: "key", value: 1 }]);
  const response = await one.fetch(`/v1.0/state/${store}`, { method: "POST", body, headers: json });
  await response.arrayBuffer();
  return response.status;
}

const read = async (one: WatchedSidecar, store: string): Promise<string> =>
  (await one.fetch(`/v1.0/state/${store}/key`)).text();

const changed = (count: number) => (report: Awaited<ReturnType<WatchedSidecar["report"]>>) =>
  report.reload?.changes === count;

it("components come, are replaced and go with their files", async () => {
  await using one = await startWatchedSidecar({ "a.yaml": component("first", "state.in-memory") });
  await one.folder.write("b.yaml", component("second", "state.in-memory"));
  await one.reported("the new component", changed(1));
  expect(await one.components()).toEqual(["first", "second"]);
  expect(await save(one, "second")).toBe(204);

  await one.folder.write("b.yaml", component("second", "state.in-memory", { marker: "new" }));
  await one.reported("the changed component", changed(2));
  expect(await read(one, "second")).toBe("");
  expect(one.logger.said("Component updated: second (state.in-memory/v1)")).toBe(true);

  await one.folder.write("b.yaml", component("second", "pubsub.in-memory"));
  await one.reported("the other kind of component", changed(3));
  expect(await save(one, "second")).toBe(400);

  await one.remove("b.yaml");
  await one.reported("the removed component", changed(4));
  expect(await one.components()).toEqual(["first"]);
});

it("what means the same is left alone: moved, reordered, commented, reformatted", async () => {
  const first = component("first", "state.in-memory", { a: "1", b: "2" });
  const second = component("second", "state.in-memory");
  await using one = await startWatchedSidecar({ "a.yaml": first, "b.yaml": second });
  expect(await save(one, "first")).toBe(204);
  expect(await save(one, "second")).toBe(204);
  const { reload } = await one.report();

  await rename(join(one.folder.path, "b.yaml"), join(one.folder.path, "z.yaml"));
  await one.reported("a look at the moved file", (report) => (report.reload?.rounds ?? 0) > (reload?.rounds ?? 0));
  const before = (await one.report()).reload?.rounds ?? 0;
  const reordered = component("first", "state.in-memory", { b: "2", a: "1" });
  // One step: between two of them there would be a component twice, or none.
  const joined = await one.folder.write("joined.next", `# A comment\n${second}\n---\n${reordered}`);
  renameSync(joined, join(one.folder.path, "z.yaml"));
  rmSync(join(one.folder.path, "a.yaml"));
  await one.reported("a look at the joined files", (report) => (report.reload?.rounds ?? 0) > before);
  const state = await one.sidecar.reload();
  expect(state).toMatchObject({ changes: 0, problems: [] });
  expect(await read(one, "first")).toBe("1");
  expect(await read(one, "second")).toBe("1");
});

it("a change that cannot work is not taken over, is named, and is gone when it is put right", async () => {
  await using one = await startWatchedSidecar({
    "a.yaml": component("store", "state.sqlite", { connectionString: ":memory:" }),
  });
  expect(await save(one, "store")).toBe(204);
  await one.folder.write("a.yaml", component("store", "state.sqlite"));
  const { components } = await one.reported(
    "the rejected change",
    ({ components: [store] }) => store?.rejectedChange !== undefined,
  );
  expect(components).toMatchObject([{ name: "store", condition: "ready" }]);
  expect(components[0]?.rejectedChange?.reason).toBe("missing connection string");
  expect(await read(one, "store")).toBe("1");

  await one.folder.write("a.yaml", "kind: Component\n  this is: no YAML");
  await one.reported("the broken file", ({ reload }) => reload?.problems.length === 1);
  expect(await read(one, "store")).toBe("1");

  await one.folder.write(
    "a.yaml",
    component("store", "state.sqlite", { connectionString: ":memory:", cleanupInterval: "1h" }),
  );
  await one.reported(
    "the good change",
    ({ components: [store], reload }) => store?.rejectedChange === undefined && reload?.problems.length === 0,
  );
  expect(await save(one, "store")).toBe(204);
});

it("components follow their secret store: it may come late, and what it gives may change", async () => {
  const stored = (value: string): string => JSON.stringify({ prefix: value });
  await using one = await startWatchedSidecar({ "a.yaml": component("other", "state.in-memory") });
  const vault = (marker: string): string =>
    component("vault", "secretstores.local.file", { secretsFile: join(one.folder.path, "s.json"), marker });
  await one.folder.write("s.json", stored("one"));
  const waiting = component("store", "state.in-memory").replace(
    "metadata: []",
    "metadata: [{ name: keyPrefix, secretKeyRef: { name: prefix, key: prefix } }]\nauth: { secretStore: vault }",
  );
  await one.folder.write("b.yaml", waiting);
  await one.reported("the waiting component", ({ components }) =>
    components.some(({ name, condition }) => name === "store" && condition === "waiting"),
  );
  await one.folder.write("c.yaml", vault("1"));
  await one.reported("the component", ({ components }) =>
    components.some(({ name, condition }) => name === "store" && condition === "ready"),
  );
  expect(await save(one, "store")).toBe(204);

  await one.folder.write("c.yaml", vault("2"));
  await one.reported("the replaced store", changed(3));
  expect(await read(one, "store")).toBe("1");

  await one.folder.write("s.json", stored("two"));
  await one.folder.write("c.yaml", vault("3"));
  await one.reported("the replaced store", changed(4));
  expect(await read(one, "store")).toBe("");
});
