import { mkdirSync, mkdtempSync, realpathSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { systemClock } from "../kit/system-clock.ts";
import { type SourceWatch, watchFiles, watchSources } from "./source-watcher.ts";

let base = "";
let folder = "";
let told = new Set<string>();
let problems: string[] = [];
const watches: SourceWatch[] = [];

beforeEach(() => {
  base = realpathSync(mkdtempSync(join(tmpdir(), "outrigger-watch-")));
  folder = join(base, "app");
  mkdirSync(folder);
  told = new Set();
  problems = [];
});
afterEach(() => {
  for (const one of watches.splice(0)) {
    one.close();
  }
  rmSync(base, { recursive: true, force: true });
});

function write(name: string, text = "x"): void {
  const path = join(folder, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

const listener = {
  clock: systemClock,
  onChange: (paths: readonly string[]) => paths.forEach((path) => told.add(relative(folder, path))),
  onProblem: (text: string) => void problems.push(text),
};

async function sources(except: readonly string[] = []): Promise<SourceWatch> {
  const watch = watchSources({ ...listener, directory: folder, except: except.map((name) => join(folder, name)) });
  watches.push(watch);
  await watch.ready;
  return watch;
}

async function files(...names: string[]): Promise<void> {
  const watch = watchFiles({ ...listener, paths: names.map((name) => join(folder, name)) });
  watches.push(watch);
  await watch.ready;
}

async function change(name: string): Promise<void> {
  while (!told.has(name)) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** What was written before it has been told of by then, or never will be. */
async function othersTold(): Promise<Set<string>> {
  write("marker.ts");
  await change("marker.ts");
  return new Set([...told].filter((name) => name !== "marker.ts"));
}

describe("the source watcher", () => {
  it("tells what is written, made and removed, in the folders that were there and in new ones", async () => {
    write("src/a.ts");
    write("src/old.ts");
    await sources();
    write("src/a.ts", "y");
    write("src/deep/er/b.ts");
    rmSync(join(folder, "src/old.ts"));
    await Promise.all(["src/a.ts", "src/deep/er/b.ts", "src/old.ts"].map(change));
    told.clear();
    write("src/deep/er/b.ts", "z");
    await change("src/deep/er/b.ts");
    expect(problems).toEqual([]);
  });

  it("does not mind what tools and the app write", async () => {
    write(".env");
    await sources(["data", "other/secret.ts"]);
    for (const name of [
      "node_modules/x/index.js",
      ".git/HEAD",
      ".dapr/logs/a.txt",
      ".outrigger/state.db",
      "dist/a.js",
      "build/a.js",
      "coverage/a.json",
      "src/node_modules/a.js",
      "app.log",
      "state.db",
      "state.db-wal",
      "x.sqlite3-journal",
      "src/.a.ts.swp",
      "src/a.ts~",
      "data/orders.json",
      "other/secret.ts",
    ]) {
      write(name);
    }
    expect(await othersTold()).toEqual(new Set());
    write(".env", "A=b");
    await change(".env");
  });

  it("follows no links", async () => {
    mkdirSync(join(base, "elsewhere"));
    symlinkSync(join(base, "elsewhere"), join(folder, "link"));
    await sources();
    writeFileSync(join(base, "elsewhere", "a.ts"), "x");
    expect(await othersTold()).toEqual(new Set());
  });

  it("knows a folder by its new name after a move, and no longer by the old one", async () => {
    write("one/a.ts");
    await sources();
    renameSync(join(folder, "one"), join(folder, "two"));
    await change("two/a.ts");
    await change("one");
    told.clear();
    write("two/a.ts", "y");
    await change("two/a.ts");
    expect(await othersTold()).toEqual(new Set(["two/a.ts"]));
  });

  it("goes on when a folder is removed and comes back", async () => {
    write("src/a.ts");
    await sources();
    rmSync(join(folder, "src"), { recursive: true });
    await change("src");
    told.clear();
    write("src/a.ts");
    await change("src/a.ts");
    told.clear();
    write("src/a.ts", "y");
    await change("src/a.ts");
  });

  it("waits for its own folder", async () => {
    rmSync(folder, { recursive: true });
    await sources();
    write("a.ts");
    await change("a.ts");
    rmSync(folder, { recursive: true });
    await change("");
    told.clear();
    write("src/b.ts");
    await change("src/b.ts");
    expect(problems).toEqual([]);
  });

  it("tells nothing when closed", async () => {
    const first = await sources();
    first.close();
    await sources();
    write("a.ts");
    await change("a.ts");
    told.clear();
    watches.at(-1)?.close();
    write("b.ts");
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(told.size).toBe(0);
  });
});

describe("the watcher of files", () => {
  it("tells of its files alone, however they are replaced", async () => {
    write("conf/a.yaml");
    write("config.yaml");
    await files("conf/a.yaml", "config.yaml");
    write("conf/b.yml");
    write("other.yaml");
    write("next");
    renameSync(join(folder, "next"), join(folder, "config.yaml"));
    rmSync(join(folder, "conf/a.yaml"));
    await Promise.all(["conf/a.yaml", "config.yaml"].map(change));
    expect([...told].toSorted()).toEqual(["conf/a.yaml", "config.yaml"]);
  });

  it("waits for what is not there yet", async () => {
    await files("conf/a.yaml", "config.yaml");
    write("config.yaml");
    write("conf/a.yaml");
    await Promise.all(["config.yaml", "conf/a.yaml"].map(change));
  });
});
