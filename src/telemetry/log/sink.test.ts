import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { createLogSink } from "./sink.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "outrigger-log-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

it("has written every line in order once it is closed", async () => {
  const file = join(folder, "daprd.log");
  const sink = createLogSink({ file });
  const lines = Array.from({ length: 5_000 }, (_, index) => `line ${index}\n`);
  for (const line of lines) {
    sink.write(line);
  }
  await sink.close();
  sink.write("too late\n");
  await sink.close();
  expect(readFileSync(file, "utf8")).toBe(lines.join(""));
});

it("appends to what a run before has left", async () => {
  const file = join(folder, "daprd.log");
  for (const line of ["first\n", "second\n"]) {
    const sink = createLogSink({ file });
    sink.write(line);
    await sink.close();
  }
  expect(readFileSync(file, "utf8")).toBe("first\nsecond\n");
});

it("refuses a file that cannot be opened", () => {
  expect(() => createLogSink({ file: join(folder, "missing", "daprd.log") })).toThrow("ENOENT");
});

it.runIf(process.platform === "linux")("swallows what cannot be written", async () => {
  const sink = createLogSink({ file: "/dev/full" });
  sink.write("lost\n");
  await sink.close();
  sink.write("lost too\n");
  await expect(sink.close()).resolves.toBeUndefined();
});
