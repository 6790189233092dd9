import { readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { expect, it } from "vitest";

const src = resolve(import.meta.dirname, "../src");

/** What a sidecar evaluates before it is ready: the command, and the components of a plain start. */
const STARTS = [
  "cli/sidecar-command.ts",
  "cli/run-sidecar.ts",
  "components/in-memory/state-store.ts",
  "components/in-memory/pubsub.ts",
  // With a placement service and a scheduler in the same process, for an app without actors and jobs.
  "control-plane/local-services.ts",
  "blocks/actors/lazy-actors.ts",
  "scheduling/lazy-scheduler.ts",
];

/** Costs milliseconds or megabytes at every start, and is needed by some only: loaded with its first use. */
const LAZY = /^(@bufbuild\/|undici$|redis$|yaml$|node:(crypto|tls|http2|zlib|sqlite|worker_threads)$)|\/wire\/gen\//;

/** Specifiers of the imports that are evaluated with a file; types and `import()` are not. */
function evaluatedImports(text: string): string[] {
  return [...text.matchAll(/^(?:import|export)\s+(?!type\b)([^;]*?)from "([^"]+)";/gms)]
    .filter(([, names = ""]) => !/^\{(\s*type [^,}]+,?)+\s*\}\s*$/.test(names))
    .map(([, , specifier = ""]) => specifier);
}

it("knows types from values", () => {
  expect(
    evaluatedImports(
      'import { type A, type B } from "a";\nimport type { C } from "c";\nimport { type D, e } from "d";\n',
    ),
  ).toEqual(["d"]);
});

it("a start evaluates nothing that only some sidecars need", () => {
  const reached = new Map<string, string>(STARTS.map((file) => [join(src, file), ""]));
  const tooEarly: string[] = [];
  for (const [file, via] of reached) {
    const chain = `${relative(src, file)}${via === "" ? "" : ` <- ${via}`}`;
    for (const specifier of evaluatedImports(readFileSync(file, "utf8"))) {
      if (LAZY.test(specifier)) {
        tooEarly.push(`${specifier} <- ${chain}`);
      } else if (specifier.startsWith(".") && !reached.has(join(dirname(file), specifier))) {
        reached.set(join(dirname(file), specifier), chain);
      }
    }
  }
  expect(reached.size).toBeGreaterThan(200);
  expect(tooEarly).toEqual([]);
});
