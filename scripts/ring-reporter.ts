import { writeFileSync } from "node:fs";
import { relative } from "node:path";
import type { Reporter, TestModule } from "vitest/node";

/** What one ring of tests came to; `verification.ts` reads it from the file named by RING_REPORT. */
export interface RingReport {
  passed: number;
  failures: RingFailure[];
  skipped: { name: string; why: string | undefined }[];
}

export interface RingFailure {
  /** Relative to the project's folder; undefined where no file can be blamed. */
  file: string | undefined;
  name: string;
  message: string;
}

/** Counts tests, and a test file or run that failed outside its tests as one failure. */
export default class RingReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly { message?: string }[]): void {
    const report: RingReport = { passed: 0, failures: [], skipped: [] };
    if (unhandledErrors.length > 0)
      report.failures.push({ file: undefined, name: "outside the tests", message: firstOf(unhandledErrors) });
    for (const module of modules) {
      const file = relative(process.cwd(), module.moduleId);
      let failedInside = false;
      for (const test of module.children.allTests()) {
        const result = test.result();
        if (result.state === "passed") report.passed += 1;
        else if (result.state === "skipped") report.skipped.push({ name: test.fullName, why: result.note });
        else {
          report.failures.push({ file, name: test.fullName, message: firstOf(result.errors ?? []) });
          failedInside = true;
        }
      }
      if (!failedInside && !module.ok())
        report.failures.push({ file, name: "the file itself", message: firstOf(module.errors()) });
    }
    const path = process.env["RING_REPORT"];
    if (path === undefined) throw new Error("RING_REPORT names no file");
    writeFileSync(path, JSON.stringify(report));
  }
}

function firstOf(errors: readonly { message?: string }[]): string {
  return errors[0]?.message ?? "no error was given";
}
