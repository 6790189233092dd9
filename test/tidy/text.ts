import { file, type Rule } from "./rule.ts";
import { isOurSource, isTestCode, occurrences, type SourceFile } from "./source.ts";

/** The ports' own adapters and what runs outside the runtime may look at the clock. */
const clockReaders = ["src/kit/system-clock.ts", "src/cli/", "src/main.ts"];

function inSource(files: readonly SourceFile[], pattern: RegExp): string[] {
  return files.filter(({ path }) => isOurSource(path)).flatMap((one) => occurrences(one, pattern));
}

function inCode(files: readonly SourceFile[], pattern: RegExp): string[] {
  return files.filter(({ path }) => isOurSource(path) && !isTestCode(path)).flatMap((one) => occurrences(one, pattern));
}

/** The rules' own examples of what they forbid. */
function isRule(path: string): boolean {
  return path.startsWith("test/tidy/");
}

function everywhere(files: readonly SourceFile[], pattern: RegExp): string[] {
  return files.filter(({ path }) => !isRule(path)).flatMap((one) => occurrences(one, pattern));
}

export const textRules: readonly Rule[] = [
  {
    name: "nothing is re-exported by wildcard",
    check: (files) => inSource(files, /^export \* /gm),
    broken: [[file("src/kit/a.ts", 'export * from "./b.ts";')], [file("src/kit/a.ts", 'export * as b from "./b.ts";')]],
    kept: [file("src/kit/a.ts", 'export { b } from "./b.ts";')],
  },
  {
    // A constant in capitals may be empty: its name says that nothing is ever put in.
    name: "modules hold no state that changes",
    check: (files) =>
      inCode(
        files,
        /^(export )?(let|var) |^(export )?const (?![A-Z0-9_]+\b)\w+(: [^=]+)? = (new (Map|Set|WeakMap|WeakSet)(<.*>)?\(\)|\[\]|\{\});?$/gm,
      ),
    broken: [
      [file("src/kit/a.ts", "let count = 0;")],
      [file("src/kit/a.ts", "export const all = new Map<string, number>();")],
      [file("src/kit/a.ts", "const all: string[] = [];")],
      [file("src/kit/a.ts", "const all: Record<string, string> = {};")],
    ],
    kept: [
      file("src/kit/a.ts", 'const names = new Set(["a"]);\nfunction f() {\n  let n = 0;\n  const m = new Map();\n}'),
      file("src/kit/b.ts", "const NOTHING: readonly string[] = [];"),
      file("src/kit/a.test.ts", "let n = 0;"),
    ],
  },
  {
    name: "only the clock port reads the time of day",
    check: (files) =>
      inCode(
        files.filter(({ path }) => !clockReaders.some((one) => path.startsWith(one))),
        /\bnew Date\(\)|(?<![\w.])Date\(\)|\bprocess\.hrtime\b/g,
      ),
    broken: [
      [file("src/blocks/a.ts", "const now = new Date();")],
      [file("src/blocks/a.ts", "const now = process.hrtime.bigint();")],
    ],
    kept: [
      file("src/blocks/a.ts", "const at = new Date(clock.now());"),
      file("src/cli/a.ts", "const now = new Date();"),
    ],
  },
  {
    name: "work that is left over is an issue, not a mark in the text",
    check: (files) => everywhere(files, /\b(TODO|FIXME|XXX|HACK)\b(?!-)/g),
    broken: [[file("docs/a.md", "TODO: say more")], [file("src/kit/a.ts", "// FIXME later")]],
    kept: [file("src/kit/a.ts", "const todoList = [];"), file("docs/a.md", "mastodon")],
  },
  {
    name: "comments draw no banners",
    check: (files) => everywhere(files, /^\s*(\/\/|\/?\*)\s*([-=*#~─═])\2{3,}/gm),
    broken: [[file("src/kit/a.ts", "// ---- helpers ----")], [file("src/kit/a.ts", "/**********")]],
    kept: [file("src/kit/a.ts", "/** A sentence. */\n// -- or so")],
  },
  {
    name: "no file names a machine's own folders",
    check: (files) => everywhere(files, /(?<![\w.-])\/(work|root|home\/\w+|tmp\/ref)\/[\w.]/g),
    broken: [[file("docs/a.md", `see /${"work"}/main/x`)], [file("src/kit/a.ts", `// from /${"tmp"}/ref/dapr`)]],
    kept: [file("src/kit/a.ts", 'const path = "/v1.0/work/1";\nconst other = "/tmp/components";')],
  },
  {
    name: "no file names a package registry",
    check: (files) =>
      everywhere(
        files,
        /\b(registry\.(npmjs|yarnpkg)|npmmirror|jfrog|artifactory|pypi\.org|files\.pythonhosted|proxy\.golang)\b/g,
      ),
    broken: [[file(".npmrc", `registry=https://registry.${"npmjs"}.org/`)], [file("docs/a.md", `from ${"pypi"}.org`)]],
    kept: [file("docs/a.md", "install it from npm; the service registry is mDNS")],
  },
  {
    name: "lint is silenced only with a reason",
    check: (files) =>
      everywhere(
        files.filter(({ path }) => !path.startsWith("src/wire/gen/")),
        /(eslint|oxlint)-disable(?!.* -- \w)|@ts-(ignore|nocheck)|@ts-expect-error(?! \w)/g,
      ),
    broken: [
      [file("src/kit/a.ts", "// oxlint-disable-next-line no-eval")],
      [file("src/kit/a.ts", "// @ts-ignore")],
      [file("src/kit/a.ts", "// @ts-expect-error")],
    ],
    kept: [file("src/kit/a.ts", "// oxlint-disable-next-line no-eval -- the test is about eval")],
  },
];
