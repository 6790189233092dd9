import type { ReloadState } from "../inventory/types.ts";
import { type FolderWatch, watchFolders } from "../resources/sources/folder-watch.ts";
import { consoleLogger } from "./console-logger.ts";
import type { SessionOptions } from "./session-types.ts";
import type { SessionUnit } from "./session-unit.ts";
import { type SourceWatch, watchFiles, watchSources } from "./source-watcher.ts";

/** What became of a change of resources at one unit; no state: its sidecar starts anew. */
export interface UnitReload {
  readonly unit: SessionUnit;
  readonly state: ReloadState | undefined;
}

export interface SessionWatchOptions extends Pick<SessionOptions, "clock" | "console" | "dataDir" | "plan"> {
  /** Told when all sidecars that read the same folders have dealt with a change in them. */
  readonly onReload: (reloads: readonly UnitReload[]) => Promise<void>;
}

/** Hands changes of files to the units they are for. */
export class SessionWatch {
  readonly #options: SessionWatchOptions;
  readonly #watches: (SourceWatch | FolderWatch)[] = [];
  #isClosed = false;

  constructor(options: SessionWatchOptions) {
    this.#options = options;
  }

  /** Resolves when nothing that sidecars read from now on changes unseen. */
  async start(units: readonly SessionUnit[]): Promise<void> {
    this.#watchRunFile();
    for (const unit of units) {
      this.#watchConfigurations(unit);
      this.#watchSources(unit);
    }
    const groups = Map.groupBy(units, ({ plan }) => JSON.stringify(plan.resourcesPaths)).values();
    await Promise.all([...groups].map((group) => this.#watchResources(group)));
  }

  close(): void {
    this.#isClosed = true;
    for (const watch of this.#watches.splice(0)) {
      watch.close();
    }
  }

  /** Of sidecars that read the same folders, so that what is the same for all of them is told once. */
  async #watchResources(units: readonly SessionUnit[]): Promise<void> {
    const paths = units[0]?.plan.resourcesPaths ?? [];
    if (paths.length === 0) {
      return;
    }
    const { clock, console, onReload } = this.#options;
    let isBegun = false;
    const onChange = async (): Promise<void> => {
      if (isBegun && !this.#isClosed) {
        const states = units.map(async (unit) => ({ unit, state: await unit.unit.resourcesChanged(paths) }));
        await onReload(await Promise.all(states));
      }
    };
    const watch = watchFolders({ paths, clock, logger: consoleLogger(console), onChange });
    this.#watches.push(watch);
    await watch.look();
    isBegun = true;
  }

  /** A Configuration is read at the start only. */
  #watchConfigurations({ plan, unit }: SessionUnit): void {
    if (plan.configPaths.length === 0) {
      return;
    }
    const { clock, console } = this.#options;
    this.#watches.push(
      watchFiles({
        paths: plan.configPaths,
        clock,
        onChange: (paths) => this.#isClosed || unit.restartSidecar(paths),
        onProblem: (text) => console.say("warn", plan.appId, text),
      }),
    );
  }

  #watchSources({ plan, unit }: SessionUnit): void {
    if (plan.command.length === 0) {
      return;
    }
    const { clock, console, dataDir } = this.#options;
    this.#watches.push(
      watchSources({
        directory: plan.directory,
        except: [
          ...plan.resourcesPaths,
          ...plan.configPaths,
          plan.logDirectory,
          ...(dataDir === undefined ? [] : [dataDir]),
          ...this.#othersOf(plan.directory),
        ],
        clock,
        onChange: (paths) => this.#isClosed || unit.sourceChanged(paths),
        onProblem: (text) => console.say("warn", plan.appId, text),
      }),
    );
  }

  /** It is read at the start only. */
  #watchRunFile(): void {
    const { clock, console, plan } = this.#options;
    const { runFile } = plan;
    if (runFile !== undefined) {
      const onChange = (): void =>
        console.say("warn", undefined, `${runFile} has changed, which counts from the next start of outrigger dev`);
      this.#watches.push(watchFiles({ paths: [runFile], clock, onChange, onProblem: () => undefined }));
    }
  }

  /** Folders of other apps, which are watched for those, and the run file, which is read at the start only. */
  #othersOf(directory: string): readonly string[] {
    const { apps, runFile } = this.#options.plan;
    const others = apps.map((app) => app.directory).filter((other) => other !== directory);
    return runFile === undefined ? others : [...others, runFile];
  }
}
