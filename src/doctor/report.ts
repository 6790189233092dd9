import { type CheckResult, type CheckedFinding, exitCodeOf } from "./finding.ts";

/** What a person reads: a line for each check, what it found below it, and a last line that counts. */
export function renderReport(results: readonly CheckResult[]): string {
  const width = Math.max(...results.map(({ name }) => name.length));
  const lines = results.flatMap(({ name, subject, isSkipped, findings, notes = [] }) => [
    `${isSkipped ? "-    " : findings.length === 0 ? "ok   " : worst(findings)}  ${name.padEnd(width)}  ${subject}`,
    ...notes.map((note) => `       · ${note}`),
    ...ordered(findings).flatMap(linesOf),
  ]);
  const all = results.flatMap(({ findings }) => findings);
  const errors = all.filter(({ severity }) => severity === "error").length;
  const end =
    all.length === 0 ? "nothing is wrong" : `${count(errors, "error")}, ${count(all.length - errors, "warning")}`;
  return `${lines.join("\n")}\n\n${end}\n`;
}

/** The same for programs; `version` changes with the shape. */
export function renderJson(results: readonly CheckResult[]): string {
  const findings = results.flatMap((result) => ordered(result.findings));
  const checks = results.map(({ name, subject, isSkipped, findings: found, notes = [] }) => ({
    name,
    subject,
    skipped: isSkipped,
    findings: found.length,
    notes,
  }));
  return `${JSON.stringify({ version: 1, exitCode: exitCodeOf(results), checks, findings }, undefined, 2)}\n`;
}

function linesOf({ severity, app, what, where, why, fix }: CheckedFinding): string[] {
  const subject = app === undefined ? what : `${app}: ${what}`;
  return [
    `       ${severity === "error" ? "✗" : "!"} ${subject}`,
    ...(where === undefined ? [] : [`         at   ${where}`]),
    `         why  ${why}`,
    `         fix  ${fix}`,
  ];
}

function worst(findings: readonly CheckedFinding[]): string {
  return findings.some(({ severity }) => severity === "error") ? "ERROR" : "WARN ";
}

/** Errors first; otherwise as they were found. */
function ordered(findings: readonly CheckedFinding[]): readonly CheckedFinding[] {
  return [
    ...findings.filter(({ severity }) => severity === "error"),
    ...findings.filter(({ severity }) => severity !== "error"),
  ];
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}
