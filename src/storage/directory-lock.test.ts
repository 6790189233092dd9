import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { lockDirectory } from "./directory-lock.ts";
import { StorageError } from "./errors.ts";

let folder = "";

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "directory-lock-"));
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

it("lets one in at a time", () => {
  const lock = lockDirectory(folder, 0);
  expect(() => lockDirectory(folder, 0)).toThrow(`another process uses the folder ${folder}`);
  lock.release();
  lockDirectory(folder, 0).release();
});

it("keeps other processes out, and lets them in when its own has died", () => {
  const script = `
    import { lockDirectory } from ${JSON.stringify(import.meta.resolve("./directory-lock.ts"))};
    lockDirectory(${JSON.stringify(folder)}, 0);
    process.kill(process.pid, "SIGKILL");`;
  const taken = lockDirectory(folder, 0);
  const other = (): ReturnType<typeof spawnSync> =>
    spawnSync(process.execPath, ["--input-type=module-typescript", "-e", script]);
  expect(other().status).toBe(1);
  taken.release();
  expect(other().signal).toBe("SIGKILL");
  lockDirectory(folder, 0).release();
});

it("says what is wrong with the folder", () => {
  expect(() => lockDirectory(join(folder, "missing"), 0)).toThrow(StorageError);
});
