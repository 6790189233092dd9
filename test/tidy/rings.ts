import { file, type Rule } from "./rule.ts";
import type { SourceFile } from "./source.ts";

const CONFIG = "vitest.config.ts";
const VERIFICATION = "scripts/verification.ts";

function namesIn(files: readonly SourceFile[], path: string): ReadonlySet<string> {
  const text = files.find((one) => one.path === path)?.text ?? "";
  return new Set([...text.matchAll(/\b(?:ring|liveRing)\("([^"]+)"/g)].map(([, name = ""]) => name));
}

function notRun(files: readonly SourceFile[]): readonly string[] {
  const run = namesIn(files, VERIFICATION);
  return [...namesIn(files, CONFIG)]
    .filter((name) => !run.has(name))
    .map((name) => `${CONFIG}: the ring ${name} is not a step of ${VERIFICATION}`);
}

export const ringRules: readonly Rule[] = [
  {
    name: "every ring of tests is run by npm test",
    check: notRun,
    broken: [
      [file(CONFIG, `projects: [ring("unit", []), oneByOne(ring("slow", []))]`), file(VERIFICATION, `ring("unit")`)],
    ],
    kept: [
      file(CONFIG, `projects: [ring("unit", []), ring("slow", [])]`),
      file(VERIFICATION, `[[ring("unit"), liveRing("slow"), tool("types")]]`),
    ],
  },
];
