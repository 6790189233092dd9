import { execFileSync } from "node:child_process";
import { globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runnableBlocks } from "./docs/code-blocks.ts";

const root = resolve(import.meta.dirname, "..");

/** Inside the package, so that `import … from "outrigger"` means this one. */
const scratch = join(root, "dist/.docs");

/** A block that takes longer hangs. */
const RUN_MS_MAX = 60_000;

const blocks = ["README.md", ...globSync("docs/guides/**/*.md", { cwd: root })].flatMap((document) =>
  runnableBlocks(readFileSync(join(root, document), "utf8")).map((block) => ({
    ...block,
    name: `${document}:${block.line}`,
    file: join(scratch, `${document.replaceAll(/\W/g, "-")}-${block.line}.ts`),
  })),
);

function run(program: string, args: readonly string[]): void {
  const path = [dirname(process.execPath), process.env["PATH"]].join(delimiter);
  try {
    execFileSync(program, args, {
      cwd: root,
      env: { ...process.env, PATH: path },
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
      timeout: RUN_MS_MAX,
      killSignal: "SIGKILL",
    });
  } catch (error) {
    const { stdout, stderr } = error as { stdout?: string; stderr?: string };
    throw new Error(`${program} failed:\n${stdout ?? ""}${stderr ?? ""}`, { cause: error });
  }
}

beforeAll(() => {
  mkdirSync(scratch, { recursive: true });
  const include = blocks.filter(({ language }) => language === "ts").map(({ file }) => file);
  for (const { language, file, code } of blocks) if (language === "ts") writeFileSync(file, code);
  writeFileSync(
    join(scratch, "tsconfig.json"),
    JSON.stringify({ extends: "../../tsconfig.json", include, exclude: [] }),
  );
});

afterAll(() => rmSync(scratch, { recursive: true }));

it("finds code in the README", () => {
  expect(blocks.filter(({ name }) => name.startsWith("README.md"))).not.toEqual([]);
});

it("type-checks what is TypeScript", () => {
  run(process.execPath, [join(root, "node_modules/typescript/bin/tsc"), "-p", scratch]);
});

describe.each(blocks)("$name", ({ language, file, code }) => {
  it("runs", () => {
    if (language === "ts") run(process.execPath, [file]);
    else if (language === "sh") run("bash", ["-euo", "pipefail", "-c", code]);
    else throw new Error(`only ts and sh can be run, not ${language}`);
  });
});

describe("runnableBlocks", () => {
  it("takes a block under its mark and no other", () => {
    const markdown = "a\n<!-- run -->\n\n```ts\nlet a;\n```\n\n```ts\nlet b;\n```\n";
    expect(runnableBlocks(markdown)).toEqual([{ line: 3, language: "ts", code: "let a;\n" }]);
  });
  it("refuses a mark over prose", () => {
    expect(() => runnableBlocks("<!-- run -->\nprose\n```ts\n```")).toThrow("line 2");
  });
});
