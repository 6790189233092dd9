// Adds to package-lock.json the platform packages that the registry in use could not serve when the lock was made.
// `npm ci` refuses a lock in which an optional dependency is missing, on every platform, so a partial mirror would
// otherwise make an unusable lock. Such an entry has no integrity: npm reads the package only on its own platform.
// Run after `npm install --package-lock-only --force`; test/tidy.test.ts says when it is needed.
import { readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";

const lockFile = join(resolve(import.meta.dirname, ".."), "package-lock.json");
const lock = JSON.parse(readFileSync(lockFile, "utf8"));

/** npm's `os` and `cpu` as package names spell them; a wrong guess only costs a failed optional download. */
const systems = ["darwin", "win32", "linux", "freebsd", "android", "openharmony", "netbsd", "openbsd", "aix", "sunos"];
const processors = ["arm64", "x64", "ia32", "arm", "ppc64", "riscv64", "s390x", "loong64", "mips64el"];

function restrictionOf(name) {
  const words = name.split(/[-/]/);
  const os = words.find((word) => systems.includes(word)) ?? (words.includes("win") ? "win32" : undefined);
  const cpu = words.find((word) => processors.includes(word)) ?? (words.includes("armv7") ? "arm" : undefined);
  const libc = words.some((word) => word.startsWith("musl"))
    ? "musl"
    : words.some((word) => word.startsWith("gnu"))
      ? "glibc"
      : undefined;
  return { os, cpu, libc };
}

const added = [];
for (const [at, entry] of Object.entries(lock.packages)) {
  for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
    const nested = `${at}/node_modules/${name}`;
    const hoisted = `node_modules/${name}`;
    if (lock.packages[nested] !== undefined || lock.packages[hoisted] !== undefined) continue;
    const { os, cpu, libc } = restrictionOf(name);
    if (os === undefined || !/^\d+\.\d+\.\d+$/.test(version)) {
      throw new Error(`${at} wants ${name}@${version}, whose platform its name does not tell: add it by hand`);
    }
    lock.packages[hoisted] = {
      version,
      ...(cpu === undefined ? {} : { cpu: [cpu] }),
      ...(entry.dev === true ? { dev: true } : {}),
      ...(libc === undefined ? {} : { libc: [libc] }),
      optional: true,
      os: [os],
    };
    added.push(`${name}@${version}`);
  }
}

lock.packages = Object.fromEntries(Object.entries(lock.packages).sort(([a], [b]) => a.localeCompare(b, "en")));
writeFileSync(lockFile, `${JSON.stringify(lock, undefined, 2)}\n`);
console.log(added.length === 0 ? "complete" : `added ${added.length}:\n${added.join("\n")}`);
