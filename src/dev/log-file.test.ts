import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { openLogFile } from "./log-file.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "outrigger-logs-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const startedMs = new Date(2026, 0, 2, 3, 4, 5).getTime();

it("has the name that Dapr's CLI gives it, in a folder that is made", async () => {
  const logs = join(folder, ".dapr", "logs");
  const app = openLogFile(logs, "orders", "app", startedMs);
  const daprd = openLogFile(logs, "orders", "daprd", startedMs);
  await Promise.all([app.close(), daprd.close()]);
  expect([app.path, daprd.path]).toEqual([
    join(logs, "orders_app_20260102030405.log"),
    join(logs, "orders_daprd_20260102030405.log"),
  ]);
});

it("holds all lines without their colours", async () => {
  const log = openLogFile(folder, "orders", "app", startedMs);
  log.line("\u001B[31mred\u001B[0m");
  for (let i = 0; i < 1_000; i += 1) {
    log.line(`line ${i}`);
  }
  await log.close();
  log.line("too late");
  const lines = readFileSync(log.path, "utf8").split("\n");
  expect(lines.slice(0, 2)).toEqual(["red", "line 0"]);
  expect(lines.slice(-2)).toEqual(["line 999", ""]);
});

it("says when its folder cannot be made", () => {
  writeFileSync(join(folder, "taken"), "");
  expect(() => openLogFile(join(folder, "taken", "logs"), "orders", "app", startedMs)).toThrow("ENOTDIR");
});
