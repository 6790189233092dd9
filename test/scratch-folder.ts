import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";

/**
 * Each test file writes into a temporary folder of its own, and so do the programs that it starts with its environment.
 * Whatever is left there when the file ends goes with it. The name is short: a Unix socket's path has some hundred bytes.
 */
const outer = process.env["TMPDIR"];
const folder = mkdtempSync(join(tmpdir(), "outrigger-"));
// PostgreSQL runs as another user.
chmodSync(folder, 0o755);
process.env["TMPDIR"] = folder;

afterAll(() => {
  if (outer === undefined) {
    delete process.env["TMPDIR"];
  } else {
    process.env["TMPDIR"] = outer;
  }
  // A program that is just ending may still write a file beside those that are being removed.
  rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
});
