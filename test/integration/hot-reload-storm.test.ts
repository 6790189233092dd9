import { renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { seededRandom } from "../../src/kit/seeded-random.fixture.ts";
import { component } from "../harness/resources.ts";
import { startWatchedSidecar } from "../harness/watched-sidecar.ts";

const EDITS = 1_000;
const FILES = 8;
const CALLERS = 2;
const SEED = 20_260_102;

/** A store that is always valid, whatever else its metadata say. */
const steady = (folder: string, marker: number): string =>
  component("steady", "state.sqlite", {
    connectionString: join(folder, "steady.db"),
    keyPrefix: "none",
    cleanupInterval: `${1 + (marker % 50)}h`,
  });

it("a thousand edits while calls run: none fails, and what the files say in the end is what there is", async () => {
  const random = seededRandom(SEED);
  const pick = (count: number): number => Math.floor(random() * count);
  await using one = await startWatchedSidecar({});
  const { folder } = one;
  await folder.write("steady.yaml", steady(folder.path, 0));
  await one.sidecar.reload();

  const failures: string[] = [];
  let isOver = false;
  let calls = 0;
  const callers = Array.from({ length: CALLERS }, async (_, caller) => {
    for (let number = 0; !isOver; number += 1) {
      const key = `k${caller}`;
      const saved = await one.fetch("/v1.0/state/steady", {
        method: "POST",
        body: JSON.stringify([{ key, value: number }]),
        headers: { "content-type": "application/json" },
      });
      const reason = await saved.text();
      const read = await (await one.fetch(`/v1.0/state/steady/${key}`)).text();
      if (saved.status !== 204 || read !== String(number)) {
        failures.push(`${number}: ${saved.status} ${reason} then ${read}`);
      }
      calls += 1;
    }
  });

  const names = Array.from({ length: FILES }, (_, index) => `x${index}`);
  const wanted = new Map<string, string>();
  for (let edit = 0; edit < EDITS; edit += 1) {
    const name = names[pick(FILES)] ?? "";
    switch (pick(5)) {
      case 0:
        rmSync(join(folder.path, `${name}.yaml`), { force: true });
        wanted.delete(name);
        break;
      case 1:
        writeFileSync(join(folder.path, `${name}.yaml`), "kind: [");
        rmSync(join(folder.path, `${name}.yaml`));
        wanted.delete(name);
        break;
      case 2:
        writeFileSync(join(folder.path, "steady.next"), `${steady(folder.path, edit)}# ${edit}\n`);
        renameSync(join(folder.path, "steady.next"), join(folder.path, "steady.yaml"));
        break;
      default: {
        const type = pick(2) === 0 ? "state.in-memory" : "pubsub.in-memory";
        writeFileSync(join(folder.path, `${name}.yaml`), component(name, type, { marker: String(pick(3)) }));
        wanted.set(name, type);
      }
    }
    await new Promise((resolve) => setImmediate(resolve));
    if (pick(30) === 0) {
      await one.sidecar.reload();
    }
  }
  await one.sidecar.reload();
  isOver = true;
  await Promise.all(callers);

  expect(failures.slice(0, 3)).toEqual([]);
  expect(calls).toBeGreaterThan(CALLERS);
  const { components, reload } = await one.report();
  expect(components.every(({ condition }) => condition === "ready")).toBe(true);
  expect(new Map(components.map(({ name, type }) => [name, type]))).toEqual(
    new Map([...wanted, ["steady", "state.sqlite"]]),
  );
  expect(reload?.problems).toEqual([]);
}, 120_000);
