import type { SessionUnit } from "./session.ts";
import type { SessionOptions } from "./session-types.ts";
import { type SourceWatch, watchFiles, watchSources } from "./source-watcher.ts";

/** Hands changes of files to the units they are for. */
export class SessionWatch {
  readonly #options: Pick<SessionOptions, "clock" | "console" | "dataDir" | "plan">;
  readonly #watches: SourceWatch[] = [];
  #isClosed = false;

  constructor(options: Pick<SessionOptions, "clock" | "console" | "dataDir" | "plan">) {
    this.#options = options;
  }

  start(units: readonly SessionUnit[]): void {
    this.#watchRunFile();
    for (const { plan, unit } of units) {
      const { clock, console, dataDir } = this.#options;
      const onProblem = (text: string): void => console.say("warn", plan.appId, text);
      const resources = [...plan.resourcesPaths, ...plan.configPaths];
      this.#watches.push(
        watchFiles({
          paths: resources,
          clock,
          onChange: (paths) => this.#isClosed || unit.resourcesChanged(paths),
          onProblem,
        }),
      );
      if (plan.command.length > 0) {
        this.#watches.push(
          watchSources({
            directory: plan.directory,
            except: [
              ...resources,
              plan.logDirectory,
              ...(dataDir === undefined ? [] : [dataDir]),
              ...this.#othersOf(plan.directory),
            ],
            clock,
            onChange: (paths) => this.#isClosed || unit.sourceChanged(paths),
            onProblem,
          }),
        );
      }
    }
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

  close(): void {
    this.#isClosed = true;
    for (const watch of this.#watches.splice(0)) {
      watch.close();
    }
  }

  /** Folders of other apps, which are watched for those, and the run file, which is read at the start only. */
  #othersOf(directory: string): readonly string[] {
    const { apps, runFile } = this.#options.plan;
    const others = apps.map((app) => app.directory).filter((other) => other !== directory);
    return runFile === undefined ? others : [...others, runFile];
  }
}
