import { execFileSync } from "node:child_process";
import { readFileSync, statSync } from "node:fs";
import { join, resolve } from "node:path";

/** A file as the rules see it: its path from the root of the repository with `/`, and what it says. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
}

/** One import, export-from or `import()` of a file; `line` counts from 1. */
export interface Import {
  readonly from: string;
  /** A path from the root (`src/kit/clock.ts`) for a relative specifier, else the specifier as written. */
  readonly to: string;
  readonly line: number;
  /** By `import()`, when it is needed. */
  readonly onFirstUse: boolean;
}

const root = resolve(import.meta.dirname, "../..");

/** Everything under version control or about to be: what git tracks or does not ignore. Files that git holds as binary are left out. */
export function repositoryFiles(): readonly SourceFile[] {
  const listed = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard", "-z"], {
    cwd: root,
    encoding: "utf8",
    maxBuffer: 64 * 1024 * 1024,
  });
  return [...new Set(listed.split("\0"))]
    .filter((path) => path !== "" && statSync(join(root, path), { throwIfNoEntry: false })?.isFile() === true)
    .map((path) => ({ path, text: readFileSync(join(root, path), "utf8") }))
    .filter(({ text }) => !text.includes("\0"));
}

const importPattern =
  /(?:^|[;\n])[ \t]*(?:import|export)\b[^;"'()]*?\bfrom\s*["']([^"']+)["']|\bimport\(\s*["']([^"']+)["']\s*\)|(?:^|\n)import\s*["']([^"']+)["']/g;

/** What a TypeScript or JavaScript file imports: values, types and on first use alike. */
export function importsOf(file: SourceFile): readonly Import[] {
  return [...file.text.matchAll(importPattern)].map((match) => {
    const specifier = match[1] ?? match[2] ?? match[3] ?? "";
    return {
      from: file.path,
      to: specifier.startsWith(".") ? join(file.path, "..", specifier) : specifier,
      line: lineOf(file.text, match.index + match[0].length),
      onFirstUse: match[2] !== undefined,
    };
  });
}

/** The line, counted from 1, of a place in a text. */
export function lineOf(text: string, index: number): number {
  return text.slice(0, index).split("\n").length;
}

/** Where a pattern (with the flag `g`) occurs, as `path:line`. */
export function occurrences(file: SourceFile, pattern: RegExp): readonly string[] {
  return [...file.text.matchAll(pattern)].map((match) => `${file.path}:${lineOf(file.text, match.index)}`);
}

/** Source that we write: TypeScript under src/, without what is generated. */
export function isOurSource(path: string): boolean {
  return path.startsWith("src/") && path.endsWith(".ts") && !path.startsWith("src/wire/gen/");
}

/** Tests and their fixtures beside the code. */
export function isTestCode(path: string): boolean {
  return /\.(test|fixture)\.ts$/.test(path);
}
