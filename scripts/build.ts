// `npm run build`: dist/outrigger, the whole runtime in one file that needs nothing beside it (Node's single-executable
// format). Three steps: bundle, run the bundle once to get the bytecode it needs at start, put both into a copy of Node.
import { spawn, spawnSync } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { join, relative, resolve } from "node:path";
import { build, transformSync, type Plugin } from "esbuild";

const root = resolve(import.meta.dirname, "..");
mkdirSync(join(root, "dist"), { recursive: true });
const work = mkdtempSync(join(root, "dist/.build-"));
const output = join(root, "dist", process.platform === "win32" ? "outrigger.exe" : "outrigger");

/**
 * Flags of the executable; bytecode is only accepted under the flags it was made with. Why each: docs/decisions/0001.
 */
const EXEC_ARGV = ["--disable-sigusr1", "--disable-warning=ExperimentalWarning", "--v8-pool-size=1"];

/**
 * Packages that only some sidecars need: each is a script of its own, read with its first use. What the bundle declares, a
 * start pays for, whether it runs or not.
 */
const LATE_PACKAGES = [
  // What @peculiar/x509 finds in place when it is evaluated.
  "reflect-metadata",
  "@marcbachmann/cel-js",
  "@noble/curves/nist.js",
  "@open-policy-agent/opa-wasm",
  "@peculiar/x509",
  "jose",
  "pg",
  "re2js",
  "redis",
];

/** How long the warming run may take to answer its first request. */
const WARM_MS_MAX = 30_000;

/**
 * Of undici only what we use: its index also loads a fetch, web sockets, caches and mocks, half of the bundle and a
 * tenth of the start. A name that is missing here fails the build.
 */
const undiciParts: Plugin = {
  name: "undici-parts",
  setup(context) {
    context.onResolve({ filter: /^undici$/ }, () => ({ path: "parts", namespace: "undici" }));
    context.onLoad({ filter: /.*/, namespace: "undici" }, () => ({
      contents: `export { default as Pool } from "undici/lib/dispatcher/pool.js";
export { default as buildConnector } from "undici/lib/core/connect.js";`,
      resolveDir: root,
    }));
  },
};

/** A thread's program has no file in the executable: its text becomes part of the bundle. */
const threadScript = (name: string, folder: string, program: string): Plugin => ({
  name: `${program}-script`,
  setup(context) {
    const path = join(root, folder, `${program}-script.ts`);
    context.onLoad({ filter: new RegExp(`[\\\\/]${program}-script\\.ts$`) }, async (file) => {
      if (file.path !== path) {
        return undefined;
      }
      const { outputFiles } = await build({
        absWorkingDir: root,
        entryPoints: [`${folder}/${program}.ts`],
        bundle: true,
        write: false,
        platform: "node",
        target: `node${process.versions.node}`,
        format: "cjs",
        minifyWhitespace: true,
        minifySyntax: true,
        legalComments: "none",
        logLevel: "warning",
      });
      const text = JSON.stringify(outputFiles[0]?.text);
      return { contents: `export const ${name} = { script: ${text}, eval: true };` };
    });
  },
});

/** Everything that an entry point needs but `external`, as the text of a function that the loader calls like a module. */
async function bundle(entryPoint: string, external: string[]): Promise<string> {
  const { outputFiles, warnings } = await build({
    absWorkingDir: root,
    entryPoints: [entryPoint],
    external,
    bundle: true,
    write: false,
    platform: "node",
    target: `node${process.versions.node}`,
    // A script, not a module: only scripts take bytecode from `createCachedData`.
    format: "cjs",
    // A module that is imported on first use is also evaluated on first use.
    supported: { "dynamic-import": false },
    // Names stay as they are: minified ones save nothing measurable and make every stack trace unreadable.
    minifyWhitespace: true,
    minifySyntax: true,
    legalComments: "none",
    plugins: [
      undiciParts,
      threadScript("WRITER_SCRIPT", "src/storage", "writer"),
      threadScript("GUEST_SCRIPT", "src/components/http-wasm", "guest"),
    ],
    logLevel: "warning",
  });
  const text = outputFiles[0]?.text;
  if (text === undefined || warnings.length > 0)
    throw new Error("the bundle has warnings; a warning here is a bug there");
  // esbuild escapes what is not ASCII except in regular expressions, where an escape means the same.
  const ascii = text
    .replace(/^#!.*/, "")
    .replace(/[\u0080-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
  return `(function(exports,require,module,__filename,__dirname){${ascii}\n})`;
}

/** A copy of Node to put the program into, without its symbols where `strip` is at hand (a quarter of the size). */
function copyNode(base: string): void {
  copyFileSync(process.execPath, base);
  chmodSync(base, 0o755);
  if (process.platform !== "linux") return;
  const { error, status } = spawnSync("strip", [base], { stdio: "inherit" });
  if (error !== undefined || status !== 0) {
    copyFileSync(process.execPath, base);
    console.log("build: no usable `strip` here, so the executable keeps Node's symbols (35 MB more)");
  }
}

/** Puts a loader and its assets into a copy of Node. Files are named without their folders: Node keeps those names. */
function inject(file: string, warming: boolean, assets: Readonly<Record<string, string>>): void {
  const code = readFileSync(join(root, "scripts/executable-loader.ts"), "utf8");
  const define = { WARMING: String(warming), LATE_PACKAGES: JSON.stringify(LATE_PACKAGES) };
  const loader = transformSync(code, { loader: "ts", format: "cjs", define, minifySyntax: true }).code;
  writeFileSync(join(work, "loader.cjs"), loader);
  const config = {
    main: "loader.cjs",
    executable: "node",
    output: file,
    disableExperimentalSEAWarning: true,
    execArgv: EXEC_ARGV,
    // NODE_OPTIONS of whoever starts a sidecar is meant for the app beside it.
    execArgvExtension: "none",
    assets,
  };
  writeFileSync(join(work, "sea.json"), JSON.stringify(config));
  const { status } = spawnSync(process.execPath, ["--build-sea", "sea.json"], {
    cwd: work,
    stdio: ["ignore", "ignore", "inherit"],
  });
  if (status !== 0) throw new Error(`node --build-sea ended with ${status}`);
}

async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer().listen(0, "127.0.0.1");
      await new Promise((ready) => server.once("listening", ready));
      return server;
    }),
  );
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((closed) => server.close(closed))));
  return ports;
}

/** Starts a sidecar, asks it a few ordinary things, and has it write down the bytecode of all that ran. */
async function warm(program: string, bytecode: string): Promise<void> {
  const resources = join(work, "resources");
  mkdirSync(resources);
  writeFileSync(
    join(resources, "store.yaml"),
    "apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata:\n  name: store\nspec:\n  type: state.in-memory\n  version: v1\n",
  );
  const [http, grpc, internal, metrics] = await freePorts(4);
  const child = spawn(
    program,
    [
      "sidecar",
      "--app-id=build",
      `--resources-path=${resources}`,
      `--dapr-http-port=${http}`,
      `--dapr-grpc-port=${grpc}`,
      `--dapr-internal-grpc-port=${internal}`,
      `--metrics-port=${metrics}`,
      "--dapr-listen-addresses=127.0.0.1",
      "--dapr-internal-grpc-listen-address=127.0.0.1",
      "--metrics-listen-address=127.0.0.1",
    ],
    { stdio: ["pipe", "pipe", "pipe"], env: {}, timeout: WARM_MS_MAX, killSignal: "SIGKILL" },
  );
  const log: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => log.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => log.push(chunk));
  const ended = new Promise<string>((end) => child.once("close", (code, signal) => end(signal ?? String(code))));
  let over = false;
  void ended.then(() => (over = true));

  const ask = async (path: string, init?: RequestInit): Promise<number> => {
    const response = await fetch(`http://127.0.0.1:${http}${path}`, init);
    await response.arrayBuffer();
    return response.status;
  };
  while (!over && (await ask("/v1.0/healthz").catch(() => 0)) !== 204)
    await new Promise((next) => setTimeout(next, 20));
  if (!over) {
    const save = { method: "POST", headers: { "content-type": "application/json" }, body: '[{"key":"a","value":1}]' };
    for (const status of [
      await ask("/v1.0/state/store", save),
      await ask("/v1.0/state/store/a"),
      await ask("/v1.0/metadata"),
    ]) {
      if (status >= 400) throw new Error(`the warming run answered ${status}`);
    }
    child.stdin.end(bytecode);
  }
  const how = await ended;
  if (how !== "0") throw new Error(`the warming run ended with ${how}:\n${Buffer.concat(log).toString()}`);
}

/** The finished file has to start, by itself, and accept its bytecode. */
function check(file: string): void {
  const { status, stdout, stderr } = spawnSync(file, ["--version"], { env: {}, encoding: "utf8" });
  if (status !== 0 || stderr !== "") throw new Error(`${file} --version ended with ${status}: ${stdout}${stderr}`);
}

const started = performance.now();
try {
  const text = await bundle("src/main.ts", LATE_PACKAGES);
  writeFileSync(join(work, "bundle.cjs"), text);
  const scripts: Record<string, string> = { bundle: "bundle.cjs" };
  for (const name of LATE_PACKAGES) {
    scripts[name] = `${name.replaceAll(/[@/]/g, "_")}.cjs`;
    writeFileSync(join(work, scripts[name]), await bundle(name, []));
  }
  copyNode(join(work, "node"));
  inject("warming", true, scripts);
  await warm(join(work, "warming"), join(work, "bytecode.bin"));
  inject("finished", false, { ...scripts, bytecode: "bytecode.bin" });
  check(join(work, "finished"));
  const bytecodeBytes = statSync(join(work, "bytecode.bin")).size;
  renameSync(join(work, "finished"), output);
  console.log(
    `built ${relative(root, output)} in ${((performance.now() - started) / 1000).toFixed(1)} s: ` +
      `bundle ${(text.length / 1e6).toFixed(1)} MB, bytecode ${(bytecodeBytes / 1e6).toFixed(1)} MB`,
  );
} finally {
  rmSync(work, { recursive: true });
}
