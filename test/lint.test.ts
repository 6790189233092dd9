import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

/** What lint keeps out of the runtime, each as a file that breaks it: place, code, the rule that objects. */
const banned: readonly (readonly [string, string, string])[] = [
  ["src/blocks/state/env.ts", "export const a = process.env;", "no-restricted-properties"],
  ["src/sidecar/exit.ts", "export const a = (): never => process.exit(1);", "no-restricted-properties"],
  ["src/net/on.ts", 'process.on("exit", () => {});', "no-restricted-properties"],
  ["src/embed/argv.ts", "export const a = process.argv;", "no-restricted-properties"],
  ["src/app/process.ts", 'import { env } from "node:process";\nexport const a = env;', "no-restricted-imports"],
  ["src/components/redis/now.ts", "export const a = Date.now();", "no-restricted-properties"],
  ["src/net/now.ts", "export const a = Date.now();", "no-restricted-properties"],
  ["src/blocks/actors/timeout.ts", "setTimeout(() => {}, 1);", "no-restricted-globals"],
  ["src/mesh/interval.ts", "setInterval(() => {}, 1);", "no-restricted-globals"],
  ["src/control-plane/scheduler/sleep.ts", 'import "node:timers/promises";', "no-restricted-imports"],
  ["src/resources/random.ts", "export const a = Math.random();", "no-restricted-properties"],
  ["src/net/random.ts", "export const a = Math.random();", "no-restricted-properties"],
  ["src/inventory/performance.ts", "export const a = performance.now();", "no-restricted-globals"],
  ["src/app/fetch.ts", 'export const a = fetch("http://a.test");', "no-restricted-globals"],
  ["src/sidecar/console.ts", 'console.log("a");', "no-console"],
  ["src/kit/default.ts", "export default 1;", "no-default-export"],
  ["src/kit/any.ts", "export const a = (b: any): unknown => b;", "no-explicit-any"],
  ["src/kit/assert.ts", "export const a = (b: string | undefined): string => b!;", "no-non-null-assertion"],
];

/** What stands where it belongs. */
const allowed: readonly (readonly [string, string])[] = [
  ["src/kit/system-clock.ts", "export const a = Date.now();\nsetTimeout(() => {}, performance.now());"],
  ["src/kit/random.ts", "export const a = Math.random();"],
  ["src/net/timer.ts", "setTimeout(() => {}, performance.now());"],
  ["src/main.ts", 'process.on("exit", () => console.log(process.env, process.argv));'],
  [
    "src/cli/run.ts",
    'import { env } from "node:process";\nexport const a = (): never => process.exit(env["A"]?.length);',
  ],
  ["src/blocks/state/state.test.ts", "console.log(Date.now());"],
  ["scripts/a.ts", "console.log(process.argv);"],
  ["bench/a.ts", "setTimeout(() => {}, performance.now());"],
];

interface Report {
  readonly diagnostics: readonly { readonly filename: string; readonly code: string }[];
}

const root = resolve(import.meta.dirname, "..");
const scratch = mkdtempSync(join(tmpdir(), "outrigger-lint-"));
let found: Report["diagnostics"] = [];

beforeAll(() => {
  const config = JSON.parse(readFileSync(join(root, ".oxlintrc.json"), "utf8")) as { options: { typeAware: boolean } };
  config.options.typeAware = false;
  writeFileSync(join(scratch, ".oxlintrc.json"), JSON.stringify(config));
  for (const [path, code] of [...banned, ...allowed]) {
    mkdirSync(dirname(join(scratch, path)), { recursive: true });
    writeFileSync(join(scratch, path), `${code}\n`);
  }
  const oxlint = join(root, "node_modules/oxlint/bin/oxlint");
  const { stdout } = spawnSync(process.execPath, [oxlint, "--format=json"], { cwd: scratch, encoding: "utf8" });
  found = (JSON.parse(stdout) as Report).diagnostics;
});

afterAll(() => rmSync(scratch, { recursive: true }));

function codesIn(path: string): readonly string[] {
  return found.filter(({ filename }) => filename.endsWith(path)).map(({ code }) => code);
}

describe("lint", () => {
  it.each(banned)("objects in %s to %s", (path, _, rule) => {
    expect(codesIn(path)).toContainEqual(expect.stringContaining(`(${rule})`));
  });
  it.each(allowed)("lets stand in %s: %s", (path) => {
    expect(codesIn(path)).toEqual([]);
  });
});
