import { stat } from "node:fs/promises";
import { join, resolve } from "node:path";

export type Environment = Readonly<Record<string, string | undefined>>;

export type PathKind = "file" | "folder";

const HOME_PREFIX = "~/";

/** What is wrong with a path that is to be used; undefined: it is there. */
export async function pathFault(path: string, kind: PathKind): Promise<string | undefined> {
  try {
    const found = await stat(path);
    const fits = kind === "folder" ? found.isDirectory() : !found.isDirectory();
    return fits ? undefined : `${path} is ${kind === "folder" ? "no folder" : "a folder, not a file"}`;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === "ENOENT" || code === "ENOTDIR"
      ? `the ${kind} ${path} does not exist`
      : `the ${kind} ${path} cannot be looked at (${code ?? "unknown error"})`;
  }
}

/** The path when it is there: what Dapr looks for without being told. */
export async function existing(path: string | undefined, kind: PathKind): Promise<readonly string[]> {
  return path !== undefined && (await pathFault(path, kind)) === undefined ? [path] : [];
}

/** What the first source that has any gives. */
export async function firstPaths(
  ...sources: readonly (() => readonly string[] | Promise<readonly string[]>)[]
): Promise<readonly string[]> {
  for (const source of sources) {
    const paths = await source();
    if (paths.length > 0) {
      return paths;
    }
  }
  return [];
}

/** A path as a person writes it: `~/` is the home folder, relative ones start at `base`. */
export function resolvePath(base: string, written: string, env: Environment): string {
  const home = homeFolder(env);
  return written.startsWith(HOME_PREFIX) && home !== undefined
    ? join(home, written.slice(HOME_PREFIX.length))
    : resolve(base, written);
}

/**
 * What `dapr init` has written: the folder of components and the Configuration, undefined without a home folder. The
 * parent of `.dapr` is the runtime path, else `DAPR_RUNTIME_PATH`, else the home folder.
 */
export function daprDefaults(
  runtimePath: string | undefined,
  cwd: string,
  env: Environment,
): { readonly components: string | undefined; readonly config: string | undefined } {
  const told = [runtimePath, env["DAPR_RUNTIME_PATH"]].find((path) => (path?.trim() ?? "") !== "");
  const parent = told === undefined ? homeFolder(env) : resolve(cwd, told.trim());
  return {
    components: parent === undefined ? undefined : join(parent, ".dapr", "components"),
    config: parent === undefined ? undefined : join(parent, ".dapr", "config.yaml"),
  };
}

/** Folders and files of an app that count without being named. */
export function appDefaults(directory: string): {
  readonly resources: string;
  readonly config: string;
  readonly logs: string;
} {
  const dapr = join(directory, ".dapr");
  return { resources: join(dapr, "resources"), config: join(dapr, "config.yaml"), logs: join(dapr, "logs") };
}

function homeFolder(env: Environment): string | undefined {
  const home = env["HOME"] ?? env["USERPROFILE"];
  return home === "" ? undefined : home;
}
