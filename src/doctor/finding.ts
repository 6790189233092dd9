/** `error`: something does not work, or will not. `warning`: it works, and is probably not what was meant. */
export type Severity = "error" | "warning";

/** One thing that is wrong with a set-up. No value of a secret or of a sensitive field is ever in it. */
export interface Finding {
  readonly severity: Severity;
  /** The app that it concerns; absent: all of them, or none. */
  readonly app?: string | undefined;
  readonly what: string;
  /** `file:line`, an address, or a place in words. */
  readonly where?: string | undefined;
  /** Why it matters. */
  readonly why: string;
  /** What to do. */
  readonly fix: string;
}

/** A finding with the check that has made it. */
export interface CheckedFinding extends Finding {
  readonly check: string;
}

export interface CheckResult {
  readonly name: string;
  /** What was looked at, in a few words. */
  readonly subject: string;
  /** There was nothing to look at. */
  readonly isSkipped: boolean;
  readonly findings: readonly CheckedFinding[];
  /** What was seen, whether anything is wrong with it or not; absent: nothing worth a line. */
  readonly notes?: readonly string[];
}

/** 0: nothing was found; 1: warnings only; 2: errors. */
export function exitCodeOf(results: readonly CheckResult[]): 0 | 1 | 2 {
  const severities = new Set(results.flatMap(({ findings }) => findings.map(({ severity }) => severity)));
  return severities.has("error") ? 2 : severities.has("warning") ? 1 : 0;
}
