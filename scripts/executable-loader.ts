// The first script of the single executable. It runs the bundle from V8 bytecode that an earlier run of the same bundle
// left behind, so that starting compiles next to nothing. `build.ts` sets WARMING: true makes the program that produces
// that bytecode, false the program that uses it.
import { writeFileSync } from "node:fs";
import { getRawAsset } from "node:sea";
import { setFlagsFromString } from "node:v8";
import { runInNewContext, Script } from "node:vm";

declare const WARMING: boolean;
declare const LATE_PACKAGES: readonly string[];

type Main = (exports: object, require: NodeJS.Require, module: object, filename: string, dirname: string) => void;

/** Scripts are ASCII, so one byte is one character. */
const textOf = (script: string): string => Buffer.from(getRawAsset(script)).toString("latin1");

const source = textOf("bundle");
const filename = "outrigger.cjs";
const script = WARMING
  ? new Script(source, { filename })
  : new Script(source, { filename, cachedData: Buffer.from(getRawAsset("bytecode")) });

if (WARMING) {
  // Only after the program has run does the script hold the functions that a start needs.
  process.stdin.once("data", (file) => {
    writeFileSync(file.toString(), script.createCachedData());
    // A script that cannot be evaluated is to fail the build, not its first use.
    for (const name of LATE_PACKAGES) requireLate(name);
    process.exit(0);
  });
} else if (script.cachedDataRejected === true) {
  process.emitWarning("the bytecode in this executable was refused, so that starting it takes longer");
}

// `--expose-gc` from the start would make V8 refuse the bytecode of Node's own modules too (40 ms). So the collector is
// fetched when it is first called.
globalThis.gc = ((options) => {
  setFlagsFromString("--expose-gc");
  globalThis.gc = runInNewContext("gc") as NodeJS.GCFunction;
  setFlagsFromString("--no-expose-gc");
  return globalThis.gc(options as NodeJS.GCOptions);
}) as NodeJS.GCFunction;

const late = new Map<string, object>();

/** Modules of Node, and packages that are scripts of their own. */
const requireLate = ((name: string): object => {
  if (!LATE_PACKAGES.includes(name)) return require(name) as object;
  const known = late.get(name);
  if (known !== undefined) return known;
  const module = { exports: {} };
  const main = new Script(textOf(name), { filename: `${name}.cjs` }).runInThisContext() as Main;
  main(module.exports, require, module, filename, "");
  late.set(name, module.exports);
  return module.exports;
}) as NodeJS.Require;

const bundle = { exports: {} };
(script.runInThisContext() as Main)(bundle.exports, requireLate, bundle, filename, "");
