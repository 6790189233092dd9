import { basename, dirname } from "node:path";
import type { Clock } from "../kit/clock.ts";
import { ChangeBatch } from "./change-batch.ts";
import { FolderTreeWatch } from "./folder-tree-watch.ts";

/** Folders of what is installed, built or written by tools and by running apps. Those that begin with a dot are too. */
const IGNORED_FOLDERS: ReadonlySet<string> = new Set([
  "node_modules",
  "dist",
  "build",
  "out",
  "target",
  "coverage",
  "logs",
  "tmp",
  "venv",
  "__pycache__",
]);

/** Logs, databases with their side files, what editors write for a moment, and what running programs leave. */
const IGNORED_FILES =
  /^\.(?!env)|~$|^4913$|^#.*#$|\.(log|tmp|temp|swp|swx|pid|sock|pyc|tsbuildinfo|(db|sqlite3?)(-(wal|shm|journal))?)$/i;

/** Changes are told of until it is closed. */
export interface SourceWatch {
  /** Resolves when everything is watched that there is at the start. */
  readonly ready: Promise<void>;
  close(): void;
}

interface WatchOptions {
  readonly clock: Clock;
  /** Absolute paths of what was made, written or removed, when it has been quiet for 100 ms; of very many the first 100. */
  readonly onChange: (paths: readonly string[]) => void;
  /** Called at most once: what is not watched, and why. */
  readonly onProblem: (text: string) => void;
}

export interface SourceWatchOptions extends WatchOptions {
  /** Absolute. It may be gone, or go, and come back. */
  readonly directory: string;
  /** Absolute paths that do not count, folders with all that is in them: data, resources, other apps. */
  readonly except?: readonly string[];
}

export interface FileWatchOptions extends WatchOptions {
  /** Files; absolute. */
  readonly paths: readonly string[];
}

/** Watches the sources of an app: all files of its folder but those that tools and the app itself write. */
export function watchSources(options: SourceWatchOptions): SourceWatch {
  const except = new Set(options.except);
  return watchRoots(options, [
    {
      root: options.directory,
      enters: (path) => !isIgnoredFolder(basename(path)) && !except.has(path),
      counts: (path) => !isIgnoredFile(basename(path)) && !except.has(path),
    },
  ]);
}

/** Watches single files, such as a Configuration. What is missing is waited for. */
export function watchFiles(options: FileWatchOptions): SourceWatch {
  const enters = (): boolean => false;
  const files = new Set(options.paths);
  const folders = new Set([...files].map((path) => dirname(path)));
  return watchRoots(
    options,
    [...folders].map((root) => ({ root, enters, counts: (path) => files.has(path) })),
  );
}

type Root = Pick<ConstructorParameters<typeof FolderTreeWatch>[0], "root" | "enters" | "counts">;

function watchRoots({ clock, onChange, onProblem }: WatchOptions, roots: readonly Root[]): SourceWatch {
  const batch = new ChangeBatch(clock, onChange);
  let told = false;
  const onFirstProblem = (text: string): void => {
    if (!told) {
      told = true;
      onProblem(text);
    }
  };
  const watches = roots.map((root) => new FolderTreeWatch({ ...root, clock, batch, onProblem: onFirstProblem }));
  return {
    ready: Promise.all(watches.map(({ ready }) => ready)).then(() => {}),
    close() {
      batch.close();
      for (const one of watches) {
        one.close();
      }
    },
  };
}

function isIgnoredFolder(name: string): boolean {
  return name.startsWith(".") || IGNORED_FOLDERS.has(name);
}

/** Of a folder that is gone nobody knows any more that it was one. */
function isIgnoredFile(name: string): boolean {
  return IGNORED_FILES.test(name) || IGNORED_FOLDERS.has(name);
}
