import { lstat, readlink } from "node:fs/promises";
import { join, sep } from "node:path";

/** Symbolic links followed on the way to one file, as in Linux. */
const LINKS_MAX = 255;

/**
 * The path of a file below `root` (absolute, itself free of links), read as if `root` were the root of the file system:
 * `..` stops there, and so do the links on the way, absolute ones included. Parts that do not exist are taken as they are.
 * The algorithm is that of Go's filepath-securejoin, whose limits it shares: a link put there between the check and the
 * use is not seen.
 * @throws Error with code ELOOP for links that lead nowhere
 */
export async function secureJoin(root: string, unsafePath: string): Promise<string> {
  const left = unsafePath.split(sep === "/" ? "/" : /[\\/]/);
  const taken: string[] = [];
  let links = 0;
  for (let part = left.shift(); part !== undefined; part = left.shift()) {
    if (part === "..") {
      taken.pop();
      continue;
    }
    if (part === "." || part === "") {
      continue;
    }
    const target = await linkTarget(join(root, ...taken, part));
    if (target === undefined) {
      taken.push(part);
      continue;
    }
    links += 1;
    if (links > LINKS_MAX) {
      throw Object.assign(new Error(`too many levels of symbolic links: ${unsafePath}`), { code: "ELOOP" });
    }
    if (target.startsWith(sep)) {
      taken.length = 0;
    }
    left.unshift(...target.split(sep));
  }
  return join(root, ...taken);
}

async function linkTarget(path: string): Promise<string | undefined> {
  try {
    return (await lstat(path)).isSymbolicLink() ? await readlink(path) : undefined;
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === "ENOENT" || code === "ENOTDIR") {
      return undefined;
    }
    throw error;
  }
}
