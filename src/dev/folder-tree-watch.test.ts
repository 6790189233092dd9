import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { systemClock } from "../kit/system-clock.ts";
import { ChangeBatch } from "./change-batch.ts";
import { FolderTreeWatch } from "./folder-tree-watch.ts";

it("watches what it can of a tree that is too large, and says what not", async () => {
  const root = realpathSync(mkdtempSync(join(tmpdir(), "outrigger-tree-")));
  for (const name of ["a", "b", "c"]) {
    mkdirSync(join(root, name));
  }
  const problems: string[] = [];
  const told = Promise.withResolvers<readonly string[]>();
  const batch = new ChangeBatch(systemClock, told.resolve);
  const watch = new FolderTreeWatch({
    root,
    enters: () => true,
    counts: () => true,
    foldersMax: 3,
    clock: systemClock,
    batch,
    onProblem: (text) => void problems.push(text),
  });
  try {
    await watch.ready;
    expect(problems).toHaveLength(1);
    const unwatched = problems[0]?.match(
      /^only the first 3 folders of .* are watched: changes in (.*) go unnoticed$/,
    )?.[1];
    const watched = ["a", "b", "c"].map((name) => join(root, name)).filter((path) => path !== unwatched);
    expect(watched).toHaveLength(2);
    for (const path of [unwatched!, ...watched]) {
      writeFileSync(join(path, "x.ts"), "x");
    }
    expect((await told.promise).toSorted()).toEqual(watched.map((path) => join(path, "x.ts")));
  } finally {
    watch.close();
    batch.close();
    rmSync(root, { recursive: true });
  }
});
