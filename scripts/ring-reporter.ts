import { writeFileSync } from "node:fs";
import type { Reporter, TestModule } from "vitest/node";

/** What one ring of tests came to; `verification.ts` reads it from the file named by RING_REPORT. */
export interface RingReport {
  passed: number;
  failed: number;
  skipped: { name: string; why: string | undefined }[];
}

/** Counts tests, and a test file or run that failed outside its tests as one failure. */
export default class RingReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    const report: RingReport = { passed: 0, failed: unhandledErrors.length > 0 ? 1 : 0, skipped: [] };
    for (const module of modules) {
      let failedInside = false;
      for (const test of module.children.allTests()) {
        const result = test.result();
        if (result.state === "passed") report.passed += 1;
        else if (result.state === "skipped") report.skipped.push({ name: test.fullName, why: result.note });
        else {
          report.failed += 1;
          failedInside = true;
        }
      }
      if (!failedInside && !module.ok()) report.failed += 1;
    }
    const file = process.env["RING_REPORT"];
    if (file === undefined) throw new Error("RING_REPORT names no file");
    writeFileSync(file, JSON.stringify(report));
  }
}
