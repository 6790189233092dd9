import { writeFileSync } from "node:fs";
import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { Clock } from "../../kit/clock.ts";
import { silentLogger } from "../../kit/silent-logger.ts";
import { systemClock } from "../../kit/system-clock.ts";
import { type FolderWatch, POLL_MS, watchFolders } from "./folder-watch.ts";

let root = "";
let watch: FolderWatch | undefined;
let rounds = 0;
/** How often the next look was put off for as long as is usual without a watch. */
let polls = 0;

const clock: Clock = {
  ...systemClock,
  after(delayMs, action) {
    polls += delayMs === POLL_MS ? 1 : 0;
    return systemClock.after(delayMs, action);
  },
};

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "outrigger-watch-"));
  rounds = 0;
  polls = 0;
});
afterEach(async () => {
  watch?.close();
  await rm(root, { recursive: true });
});

/** Watches, and waits for the look that every watch begins with. */
async function begin(...paths: string[]): Promise<void> {
  watch = watchFolders({
    paths,
    clock,
    logger: silentLogger,
    onChange: async () => void (rounds += 1),
  });
  await noticed(0);
}

const noticed = (before: number): Promise<void> =>
  vi.waitFor(() => expect(rounds).toBeGreaterThan(before), { timeout: 20_000 });

it("notices what is written, replaced by renaming and removed", async () => {
  await begin(root);
  let before = rounds;
  await writeFile(join(root, "a.yaml"), "kind: Component");
  await noticed(before);
  before = rounds;
  await writeFile(join(root, ".a.tmp"), "kind: Other");
  await rename(join(root, ".a.tmp"), join(root, "a.yaml"));
  await noticed(before);
  before = rounds;
  await rm(join(root, "a.yaml"));
  await noticed(before);
});

it("notices a mounted folder of Kubernetes, whose files are links through a link that is exchanged", async () => {
  await mkdir(join(root, "..1"));
  await writeFile(join(root, "..1", "a.yaml"), "one");
  await symlink("..1", join(root, "..data"));
  await symlink(join("..data", "a.yaml"), join(root, "a.yaml"));
  await begin(root);
  const before = rounds;
  await mkdir(join(root, "..2"));
  await writeFile(join(root, "..2", "a.yaml"), "two, which is longer");
  await symlink("..2", join(root, "..next"));
  await rename(join(root, "..next"), join(root, "..data"));
  await noticed(before);
});

it("notices a file elsewhere that a link points to", async () => {
  const outside = join(root, "outside");
  const inside = join(root, "inside");
  await mkdir(outside);
  await mkdir(inside);
  await writeFile(join(outside, "a.yaml"), "one");
  await symlink(join(outside, "a.yaml"), join(inside, "a.yaml"));
  await begin(inside);
  const before = rounds;
  await writeFile(join(outside, "a.yaml"), "two, which is longer");
  await noticed(before);
});

it("finds a folder again that was removed or replaced", async () => {
  const folder = join(root, "resources");
  await mkdir(folder);
  await begin(folder);
  let before = rounds;
  await rm(folder, { recursive: true });
  await noticed(before);
  before = rounds;
  await mkdir(folder);
  await writeFile(join(folder, "a.yaml"), "one");
  await noticed(before);
});

it("notices that a folder which is a link is another one", async () => {
  for (const version of ["1", "2"]) {
    await mkdir(join(root, version));
    await writeFile(join(root, version, "a.yaml"), version);
  }
  const folder = join(root, "resources");
  await symlink("1", folder);
  await begin(folder);
  const before = rounds;
  await symlink("2", join(root, "next"));
  await rename(join(root, "next"), folder);
  await noticed(before);
});

it("looks when it is told to, and tells even where nothing has changed", async () => {
  await begin(root);
  const before = rounds;
  await watch?.look();
  expect(rounds).toBe(before + 1);
});

it("does not tell of what is no resource file", async () => {
  await begin(root);
  await writeFile(join(root, "store.db"), "x");
  await writeFile(join(root, "a.yaml"), "x");
  await noticed(1);
  const before = rounds;
  await writeFile(join(root, "store.db"), "xx");
  await writeFile(join(root, "b.yaml"), "x");
  await noticed(before);
  expect(rounds).toBe(before + 1);
});

it("leaves a folder alone for a while in which something else is written all the time, and misses nothing", async () => {
  await begin(root);
  const before = rounds;
  await writeMuch();
  expect([rounds, polls]).toEqual([before, 1]);
  await writeFile(join(root, "a.yaml"), "one");
  await noticed(before);
  const since = rounds;
  await writeFile(join(root, "b.yaml"), "one");
  await noticed(since);
  await writeMuch();
});

/** Two files in turns, since equal events in a row come as one, until the watch has given up. */
async function writeMuch(): Promise<void> {
  const given = polls;
  await vi.waitFor(
    async () => {
      for (let count = 0; count < 100; count++) {
        writeFileSync(join(root, `store.db${count % 2 === 0 ? "" : "-wal"}`), String(count));
      }
      await new Promise((resolve) => setImmediate(resolve));
      expect(polls).toBeGreaterThan(given);
    },
    { timeout: 20_000, interval: 1 },
  );
}
