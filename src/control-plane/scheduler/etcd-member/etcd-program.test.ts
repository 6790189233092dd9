import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { findEtcd } from "./etcd-program.ts";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "etcd-program-"));
});

afterEach(() => rmSync(folder, { recursive: true }));

/** A program that says this when it is asked for its version. */
function program(name: string, says: string): string {
  const path = join(folder, name);
  writeFileSync(path, `#!/bin/sh\necho '${says}'\n`);
  chmodSync(path, 0o755);
  return path;
}

describe.skipIf(process.platform === "win32")("the etcd of a member", () => {
  it("is the first good one, and an older one where there is no other", async () => {
    const old = program("old", "etcd Version: 3.4.23");
    const good = program("good", "etcd Version: 3.5.16");
    const newest = program("new", "etcd Version: 3.6.0-rc.1");
    expect(await findEtcd(undefined, [join(folder, "none"), old, good, newest])).toEqual({ path: good, minor: 5 });
    expect(await findEtcd(undefined, [old])).toEqual({ path: old, minor: 4 });
    expect(await findEtcd(newest, [])).toEqual({ path: newest, minor: 6 });
  });

  it("is not one that is too old or something else, and then it is said how to get one", async () => {
    const ancient = program("ancient", "etcd Version: 3.3.27");
    const other = program("other", "hello");
    await expect(findEtcd(undefined, [ancient, other])).rejects.toThrow(/etcd 3\.3\.27.*is no etcd.*--etcd-binary/);
    await expect(findEtcd(ancient)).rejects.toThrow("3.5 or newer is needed");
    await expect(findEtcd(join(folder, "none"))).rejects.toThrow("cannot be run as etcd");
    await expect(findEtcd(undefined, [])).rejects.toThrow("install etcd 3.5 or newer");
  });
});
