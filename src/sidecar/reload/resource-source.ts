import type { Clock } from "../../kit/clock.ts";
import type { Logger } from "../../kit/logger.ts";
import { watchFolders } from "../../resources/sources/folder-watch.ts";
import { loadResources } from "../../resources/sources/files.ts";
import type { LoadedResources } from "../../resources/types.ts";
import { freshLines } from "./fresh-lines.ts";

/** Changes of a source are told of until it is closed. */
export interface SourceWatch {
  /** Tells now, and resolves when that has been dealt with. */
  look(): Promise<void>;
  close(): void;
}

/** Where resources come from while the sidecar runs: files, or a control plane that sends them. */
export interface ResourceSource {
  /** All that is for this app. @throws Error when it cannot be told what there is */
  read(): Promise<LoadedResources>;
  /** @param onChange called when `read` may give something else; never while it runs */
  watch(onChange: () => Promise<void>): SourceWatch;
}

export interface FileSourceOptions {
  readonly paths: readonly string[];
  readonly namespace: string;
  readonly appId: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Resource folders; what is wrong with a file is logged when it becomes so, not with every reading. */
export function fileSource(options: FileSourceOptions): ResourceSource {
  const { paths, namespace, appId, clock, logger } = options;
  const fresh = freshLines(logger);
  return {
    async read() {
      fresh.begin();
      return await loadResources({ paths, namespace, appId, logger: fresh.logger });
    },
    watch: (onChange) =>
      watchFolders({ paths, clock, logger: logger.scope("dapr.runtime.hotreload.loader.disk"), onChange }),
  };
}
