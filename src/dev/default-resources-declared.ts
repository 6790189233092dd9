import { readFile } from "node:fs/promises";
import { silentLogger } from "../kit/silent-logger.ts";
import { ResourceError, DuplicateResourceError } from "../resources/error.ts";
import { loadResources } from "../resources/sources/files.ts";
import type { AppPlan } from "./types.ts";

/** What an app's resources declare, as far as it can be read. */
export interface DeclaredComponents {
  readonly names: ReadonlySet<string>;
  /** The words before the dot of their types: `state`, `pubsub` … */
  readonly families: ReadonlySet<string>;
}

const TYPE_LINE = /^\s*(?:"type"|type)\s*:\s*["']?([a-z]+)\./gm;
const NAME_LINE = /^\s*(?:"name"|name)\s*:\s*["']?([^\s"'#]+)/gm;

/**
 * The components that an app's resources are for it. Of a file that cannot be read as YAML every line that looks like a
 * name or a type counts: a default must not quietly take the place of a component with a slip of the pen in it.
 */
export async function declaredComponents(app: AppPlan): Promise<DeclaredComponents> {
  const names = new Set<string>();
  const families = new Set<string>();
  for (const path of app.resourcesPaths) {
    for (const file of await unreadableFiles(path, app.appId, names, families)) {
      const text = await readFile(file, "utf8").catch(() => "");
      collect(text, NAME_LINE, names);
      collect(text, TYPE_LINE, families);
    }
  }
  return { names, families };
}

/** Fills in what one folder declares; a folder that cannot be read, or says a name twice, is the sidecar's to tell. */
async function unreadableFiles(
  path: string,
  appId: string,
  names: Set<string>,
  families: Set<string>,
): Promise<readonly string[]> {
  try {
    const loaded = await loadResources({ paths: [path], namespace: "", appId, logger: silentLogger });
    for (const { name, type } of loaded.components) {
      names.add(name);
      families.add(type.split(".", 1)[0] ?? "");
    }
    return loaded.problems.map(({ file }) => file);
  } catch (error) {
    if (error instanceof ResourceError || error instanceof DuplicateResourceError) {
      return [];
    }
    throw error;
  }
}

function collect(text: string, pattern: RegExp, into: Set<string>): void {
  for (const [, word = ""] of text.matchAll(pattern)) {
    into.add(word);
  }
}
