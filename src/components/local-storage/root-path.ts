import { realpath, stat } from "node:fs/promises";
import { dirname, join, parse, resolve, sep } from "node:path";
import { ComponentError } from "../spi/errors.ts";

/** Folders that files must never be written to or read from, whatever the manifest says. */
const DISALLOWED: readonly string[] = ["/proc", "/sys", "/boot", "/var/run/secrets"];

/**
 * The folder of a `rootPath`: absolute and without links, as far as it exists.
 * @throws ComponentError for a file, and for folders of the operating system and of Kubernetes' secrets
 */
export async function resolveRootPath(rootPath: string): Promise<string> {
  const folder = await withoutLinks(resolve(rootPath));
  // A disallowed folder may lie behind a link itself: /var/run usually is one.
  const disallowed = await Promise.all(DISALLOWED.map(async (path) => [path, await withoutLinks(path)]));
  if (disallowed.flat().some((path) => folder === path || folder.startsWith(path + sep))) {
    throw refused("property rootPath points to a disallowed location");
  }
  return folder;
}

async function withoutLinks(path: string): Promise<string> {
  const existing = await nearestFolder(path);
  return join(await realpath(existing), path.slice(existing.length));
}

async function nearestFolder(path: string): Promise<string> {
  const { root } = parse(path);
  for (let at = path; at !== root; at = dirname(at)) {
    try {
      if (!(await stat(at)).isDirectory()) {
        throw refused("property rootPath represents a file and not a directory");
      }
      return at;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") {
        throw error instanceof ComponentError
          ? error
          : refused(`error getting stat for path ${at}: ${(error as Error).message}`);
      }
    }
  }
  return root;
}

function refused(reason: string): ComponentError {
  return new ComponentError("invalidMetadata", `failed to parse metadata: ${reason}`, { facts: { field: "rootPath" } });
}
