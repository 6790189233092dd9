import { stat } from "node:fs/promises";
import type { Clock, Timer } from "../../kit/clock.ts";
import { FILES_LOOK_MS, FILES_SETTLE_MS } from "./limits.ts";

export interface FileWatchOptions {
  readonly paths: readonly string[];
  readonly clock: Clock;
  /** Runs once for changes that come shortly after one another; never twice at the same time. */
  readonly onChange: () => Promise<void>;
}

/**
 * Looks at files for changes. It asks rather than being told, because secrets that Kubernetes mounts change by an exchange
 * of a link above them, and network file systems tell nothing.
 */
export class FileWatch {
  readonly #options: FileWatchOptions;
  #timer: Timer | undefined;
  #seen: string | undefined;
  #changed = false;
  #stopped = false;

  constructor(options: FileWatchOptions) {
    this.#options = options;
    this.#next(0);
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  #next(delayMs: number): void {
    if (!this.#stopped) {
      this.#timer = this.#options.clock.after(delayMs, () => void this.#look());
    }
  }

  /** What is there at first is no change; a change is told when the files have stayed the same for a while. */
  async #look(): Promise<void> {
    const now = await fingerprint(this.#options.paths);
    const before = this.#seen;
    this.#seen = now;
    if (before !== undefined && now !== before) {
      this.#changed = true;
      this.#next(FILES_SETTLE_MS);
      return;
    }
    if (this.#changed && !this.#stopped) {
      this.#changed = false;
      // A change meanwhile is the next one: it is compared with what there was before.
      await this.#options.onChange();
    }
    this.#next(FILES_LOOK_MS);
  }
}

async function fingerprint(paths: readonly string[]): Promise<string> {
  const marks = await Promise.all(
    paths.map(async (path) => {
      try {
        const { ino, size, mtimeNs, dev } = await stat(path, { bigint: true });
        return `${dev}:${ino}:${size}:${mtimeNs}`;
      } catch {
        return "absent";
      }
    }),
  );
  return marks.join(" ");
}
