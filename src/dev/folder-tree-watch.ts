import { type FSWatcher, watch } from "node:fs";
import { lstat, readdir } from "node:fs/promises";
import { basename, join, sep } from "node:path";
import type { Clock, Timer } from "../kit/clock.ts";
import { errorMessage } from "../kit/error-message.ts";
import type { ChangeBatch } from "./change-batch.ts";

/** A tree with more folders is watched in part, and said so. */
const FOLDERS_MAX = 4_096;

/** How often a root that is gone is looked for, in milliseconds. */
const RETURN_POLL_MS = 250;

export interface FolderTreeWatchOptions {
  /** Absolute. It may be gone, or go, and come back. */
  readonly root: string;
  /** Whether a folder below the root is watched. */
  readonly enters: (path: string) => boolean;
  /** Whether a change of this path is told; paths of folders are asked about only when they are gone. */
  readonly counts: (path: string) => boolean;
  /** 4,096 unless said otherwise. */
  readonly foldersMax?: number;
  readonly clock: Clock;
  readonly batch: ChangeBatch;
  /** What is not watched, and why. */
  readonly onProblem: (text: string) => void;
}

/**
 * A tree of folders, each with a watch of its own: links are not followed, and a folder that is not entered costs
 * nothing, unlike with Node's recursive watch, which on Linux opens every file below.
 */
export class FolderTreeWatch {
  /** Resolves when all folders that there are at the start are watched. */
  readonly ready: Promise<void>;
  readonly #options: FolderTreeWatchOptions;
  readonly #watched = new Map<string, FSWatcher>();
  #return: Timer | undefined;
  #closed = false;

  constructor(options: FolderTreeWatchOptions) {
    this.#options = options;
    this.ready = this.#enterRoot(false);
  }

  close(): void {
    this.#closed = true;
    this.#return?.cancel();
    this.#leave(this.#options.root);
  }

  async #enterRoot(tell: boolean): Promise<void> {
    const { root, clock } = this.#options;
    this.#leave(root);
    await this.#enter(root, tell);
    if (!this.#closed && !this.#watched.has(root)) {
      this.#return?.cancel();
      this.#return = clock.after(RETURN_POLL_MS, () => void this.#enterRoot(true));
    }
  }

  /** Watches first and reads then, so that nothing is made in between unseen. */
  async #enter(folder: string, tell: boolean): Promise<void> {
    if (this.#closed || this.#watched.has(folder) || !this.#watch(folder)) {
      return;
    }
    const entries = await readdir(folder, { withFileTypes: true }).catch(() => undefined);
    if (entries === undefined) {
      this.#leave(folder);
      return;
    }
    for (const entry of entries) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) {
        if (this.#options.enters(path)) {
          await this.#enter(path, tell);
        }
      } else if (tell && this.#options.counts(path)) {
        this.#options.batch.add(path);
      }
    }
  }

  /** Whether there is now a watch. */
  #watch(folder: string): boolean {
    const { root, onProblem, foldersMax = FOLDERS_MAX } = this.#options;
    if (this.#watched.size >= foldersMax) {
      onProblem(`only the first ${foldersMax} folders of ${root} are watched: changes in ${folder} go unnoticed`);
      return false;
    }
    try {
      const watcher = watch(folder, { persistent: false });
      watcher.on("change", (kind, name) => this.#happened(folder, kind, name === null ? undefined : String(name)));
      watcher.on("error", () => this.#leave(folder));
      this.#watched.set(folder, watcher);
      return true;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code !== "ENOENT" && code !== "ENOTDIR") {
        onProblem(`${folder} is not watched: ${watchErrorText(error, code)}`);
      }
      return false;
    }
  }

  #happened(folder: string, kind: string, name: string | undefined): void {
    if (name === undefined) {
      this.#options.batch.add(folder);
      return;
    }
    const path = join(folder, name);
    if (name === basename(folder)) {
      // What happens to the folder itself comes under its own name, as if it were in itself.
      void this.#selfHappened(folder, kind, path);
    } else if (kind === "change") {
      this.#told(path);
    } else if (this.#options.counts(path) || this.#options.enters(path)) {
      void this.#renamed(path);
    }
  }

  async #selfHappened(folder: string, kind: string, path: string): Promise<void> {
    if ((await lstat(path).catch(() => undefined)) !== undefined) {
      await this.#renamed(path);
      return;
    }
    const gone = (await lstat(folder).catch(() => undefined)) === undefined;
    if (gone) {
      this.#leave(folder);
      this.#told(folder);
    }
    // A root that was replaced at once is there, but it is not the one that is watched.
    if (folder === this.#options.root && (gone || kind === "rename")) {
      await this.#enterRoot(true);
    }
  }

  /** Something was made, moved or removed there: what was known of it no longer holds. */
  async #renamed(path: string): Promise<void> {
    const known = this.#watched.has(path);
    this.#leave(path);
    const found = await lstat(path).catch(() => undefined);
    if (found?.isDirectory() === true) {
      if (this.#options.enters(path)) {
        await this.#enter(path, true);
      }
    } else if (known) {
      this.#options.batch.add(path);
    } else {
      this.#told(path);
    }
  }

  #told(path: string): void {
    if (this.#options.counts(path)) {
      this.#options.batch.add(path);
    }
  }

  #leave(folder: string): void {
    if (!this.#watched.has(folder)) {
      return;
    }
    const below = folder + sep;
    for (const [path, watcher] of this.#watched) {
      if (path === folder || path.startsWith(below)) {
        this.#watched.delete(path);
        watcher.close();
      }
    }
  }
}

function watchErrorText(error: unknown, code: string | undefined): string {
  if (code === "ENOSPC" || code === "EMFILE") {
    return "the system gives this user no more watches (on Linux: raise fs.inotify.max_user_watches or max_user_instances)";
  }
  return errorMessage(error);
}
