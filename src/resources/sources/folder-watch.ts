import { type FSWatcher, watch } from "node:fs";
import { lstat, readdir, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import type { Clock, Timer } from "../../kit/clock.ts";
import { errorMessage } from "../../kit/error-message.ts";
import type { Logger } from "../../kit/logger.ts";

/** How long nothing more must happen in the folders, and how long changes are held back when it never gets quiet, in milliseconds. */
export const QUIET_MS = 100;
export const HELD_MS_MAX = 1_000;
/** How often folders are looked at that the system does not tell about, or not all of, in milliseconds. */
export const POLL_MS = 2_000;
/**
 * So many events about other files within a second, such as those of a database that is written all the time, and the
 * folder is looked at instead: the system cannot be asked to tell of some files only, and each event costs some 25 µs.
 */
const NOISE_EVENTS_MAX = 64;
const NOISE_WINDOW_MS = 1_000;

/** The last part of a path of which the system tells; what Kubernetes exchanges a mounted folder with begins with two dots. */
const COUNTS = /\.ya?ml$|^\.\./i;

export interface FolderWatchOptions {
  readonly paths: readonly string[];
  readonly clock: Clock;
  readonly logger: Logger;
  /** The files are not as they were, or may not be. The next call waits for this one. */
  readonly onChange: () => Promise<void>;
}

/** Changes are told of until it is closed. */
export interface FolderWatch {
  /** Looks now, whether anything was noticed or not, and tells in any case. Resolves when that has been dealt with. */
  look(): Promise<void>;
  close(): void;
}

/**
 * Watches folders without their subfolders. A file that is being written is left alone until it is quiet; a file that is
 * replaced by renaming, a folder that is itself replaced and a link that points elsewhere are noticed. Where the system
 * offers no watch, a link may change unseen, or something else is written in a folder all the time, names, sizes and times
 * are compared at intervals.
 */
export function watchFolders(options: FolderWatchOptions): FolderWatch {
  return new WatchedFolders(options);
}

/** A watch, and what it has told in vain since `noiseFromMs`. */
interface Watched {
  readonly watcher: FSWatcher;
  noiseEvents: number;
  noiseFromMs: number;
}

class WatchedFolders implements FolderWatch {
  readonly #options: FolderWatchOptions;
  readonly #watched = new Map<string, Watched>();
  readonly #told = new Set<string>();
  #fingerprint: string | undefined;
  #quiet: Timer | undefined;
  #limit: Timer | undefined;
  #poll: Timer | undefined;
  #looking: Promise<void> = Promise.resolve();
  #isClosed = false;

  constructor(options: FolderWatchOptions) {
    this.#options = options;
    for (const path of options.paths) {
      this.#watch(path);
    }
    // What was written between the first reading and now is noticed by this.
    this.#happened();
  }

  look(): Promise<void> {
    return this.#enqueue(true);
  }

  close(): void {
    this.#isClosed = true;
    this.#poll?.cancel();
    this.#settle();
    for (const { watcher } of this.#watched.values()) {
      watcher.close();
    }
    this.#watched.clear();
  }

  #watch(path: string): void {
    try {
      const watcher = watch(path, { persistent: false });
      const watched = { watcher, noiseEvents: 0, noiseFromMs: Number.NEGATIVE_INFINITY };
      watcher.on("change", (_, name) => this.#noticed(path, watched, name === null ? undefined : String(name)));
      watcher.on("error", () => this.#unwatch(path));
      this.#watched.set(path, watched);
    } catch (error) {
      if (!this.#told.has(path)) {
        this.#told.add(path);
        this.#options.logger.warn(
          `${path} is looked at every ${POLL_MS / 1000}s, since it cannot be watched: ${errorMessage(error)}`,
        );
      }
    }
  }

  #unwatch(path: string): void {
    this.#watched.get(path)?.watcher.close();
    this.#watched.delete(path);
  }

  #noticed(path: string, watched: Watched, name: string | undefined): void {
    if (name === basename(path)) {
      // The folder itself was moved or removed: what is watched is no longer what is there.
      this.#unwatch(path);
    }
    if (name === undefined || name === basename(path) || COUNTS.test(name)) {
      this.#happened();
    } else {
      this.#tired(path, watched);
    }
  }

  /** Leaves a folder alone until it is looked at the next time, which takes the watch up again. */
  #tired(path: string, watched: Watched): void {
    const nowMs = this.#options.clock.monotonicMs();
    if (nowMs - watched.noiseFromMs > NOISE_WINDOW_MS) {
      watched.noiseFromMs = nowMs;
      watched.noiseEvents = 0;
    }
    watched.noiseEvents += 1;
    if (watched.noiseEvents >= NOISE_EVENTS_MAX && this.#watched.get(path) === watched) {
      this.#unwatch(path);
      this.#pollLater();
    }
  }

  #pollLater(): void {
    this.#poll ??= this.#options.clock.after(POLL_MS, () => void this.#enqueue(false));
  }

  #happened(): void {
    if (this.#isClosed) {
      return;
    }
    const { clock } = this.#options;
    this.#quiet?.cancel();
    this.#quiet = clock.after(QUIET_MS, () => this.#lookSoon());
    this.#limit ??= clock.after(HELD_MS_MAX, () => this.#lookSoon());
  }

  #lookSoon(): void {
    this.#settle();
    void this.#enqueue(false);
  }

  #settle(): void {
    this.#quiet?.cancel();
    this.#limit?.cancel();
    this.#quiet = undefined;
    this.#limit = undefined;
  }

  #enqueue(always: boolean): Promise<void> {
    this.#looking = this.#looking.then(() => this.#look(always));
    return this.#looking;
  }

  async #look(always: boolean): Promise<void> {
    const { paths, onChange, logger } = this.#options;
    this.#poll?.cancel();
    this.#poll = undefined;
    if (this.#isClosed) {
      return;
    }
    // Before the files are looked at, so that nothing is written in between unseen.
    for (const path of paths) {
      if (!this.#watched.has(path)) {
        this.#watch(path);
      }
    }
    const before = this.#fingerprint;
    const { text, isPolled } = await fingerprintOf(paths);
    if (this.#isClosed) {
      return;
    }
    this.#fingerprint = text;
    if (always || text !== before) {
      try {
        await onChange();
      } catch (error) {
        logger.error(`failed to follow changes of resources: ${errorMessage(error)}`);
      }
    }
    if (!this.#isClosed && (isPolled || this.#watched.size < paths.length)) {
      this.#pollLater();
    }
  }
}

async function isLink(path: string): Promise<boolean> {
  const found = await lstat(path).catch(() => undefined);
  return found?.isSymbolicLink() === true;
}

/** Names, identities, sizes and times of all resource files; links stand for what they point to. */
async function fingerprintOf(paths: readonly string[]): Promise<{ readonly text: string; readonly isPolled: boolean }> {
  const lines: string[] = [];
  let isPolled = false;
  for (const path of paths) {
    const entries = await readdir(path, { withFileTypes: true }).catch(() => undefined);
    lines.push(`${path} ${entries === undefined ? "gone" : ""}`);
    // A watch follows a link to where it pointed when it began.
    isPolled ||= entries === undefined || (await isLink(path));
    for (const entry of entries ?? []) {
      if (!/\.ya?ml$/i.test(entry.name)) {
        continue;
      }
      isPolled ||= entry.isSymbolicLink();
      const found = await stat(join(path, entry.name), { bigint: true }).catch(() => undefined);
      lines.push(`${entry.name} ${found?.ino} ${found?.size} ${found?.mtimeNs} ${found?.ctimeNs}`);
    }
  }
  return { text: lines.join("\n"), isPolled };
}
