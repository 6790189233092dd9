// Writes docs/reference. For components.md it runs the conformance suites, or reads the report of a run
// (`vitest run --project conformance --reporter=json --outputFile=…`) that its argument names. With the argument `errors`
// it writes the pages of errors only.
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { errorPages } from "./errors-reference.ts";
import { cellsOfReport, renderReference, type TestReport } from "./reference.ts";

const root = resolve(import.meta.dirname, "..");
const output = join(root, "docs/reference/components.md");

/** A run that takes longer hangs. */
const RUN_MS_MAX = 5 * 60_000;

function runSuites(): TestReport {
  const folder = mkdtempSync(join(tmpdir(), "outrigger-reference-"));
  const file = join(folder, "report.json");
  const vitest = join(root, "node_modules/vitest/vitest.mjs");
  const args = [vitest, "run", "--project", "conformance", "--reporter=default", "--reporter=json"];
  try {
    execFileSync(process.execPath, [...args, `--outputFile=${file}`], {
      cwd: root,
      stdio: ["ignore", "inherit", "inherit"],
      timeout: RUN_MS_MAX,
      killSignal: "SIGKILL",
    });
    return readReport(file);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function readReport(file: string): TestReport {
  return JSON.parse(readFileSync(file, "utf8")) as TestReport;
}

function writeErrors(): void {
  const folder = join(root, "docs/reference/errors");
  mkdirSync(folder, { recursive: true });
  const pages = errorPages();
  for (const file of readdirSync(folder)) if (!pages.has(file)) rmSync(join(folder, file));
  for (const [file, text] of pages) writeFileSync(join(folder, file), text);
  console.log(`wrote ${pages.size} pages to ${folder}`);
}

function writeComponents(report: string | undefined): void {
  const cells = cellsOfReport(report === undefined ? runSuites() : readReport(report));
  mkdirSync(dirname(output), { recursive: true });
  writeFileSync(output, renderReference(cells));
  console.log(`wrote ${output}`);
}

const given = process.argv[2];
writeErrors();
if (given !== "errors") writeComponents(given);
