import { isGreen } from "./audit.ts";
import type { Check } from "./check.ts";

/** Problems printed of each check; the rest is only counted. */
const PROBLEMS_SHOWN = 5;

/** Each check on a line, with the first of its problems below it, and the verdict. */
export function auditReport(checks: readonly Check[]): string[] {
  const lines: string[] = [];
  for (const { claim, examined, problems } of checks) {
    lines.push(`  ${problems.length === 0 ? "ok  " : "FAIL"}  ${claim} (${examined})`);
    for (const problem of problems.slice(0, PROBLEMS_SHOWN)) lines.push(`          ${problem}`);
    if (problems.length > PROBLEMS_SHOWN) lines.push(`          … and ${problems.length - PROBLEMS_SHOWN} more`);
  }
  lines.push(isGreen(checks) ? "Verdict: green, the books are in order." : "Verdict: RED, the books are not in order.");
  return lines;
}
