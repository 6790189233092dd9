import type { LineConsole } from "./types.ts";

/** Something in the files of resources that is not in use. */
export interface FileProblem {
  /** Undefined where it is not known, or is more than one. */
  readonly file: string | undefined;
  /** Tells one problem from another. */
  readonly message: string;
  /** What that means for now, and what to do. */
  readonly advice: string;
}

/** Says what is wrong with files of resources, once for each, however many apps read them; and when a file is well again. */
export class ProblemTeller {
  readonly #console: LineConsole;
  /** Each problem that was told and is still there, with the apps whose sidecars have it. */
  readonly #told = new Map<string, { readonly file: string | undefined; readonly appIds: Set<string> }>();

  constructor(console: LineConsole) {
    this.#console = console;
  }

  /** @param problems all that there are now for the app */
  look(appId: string, problems: readonly FileProblem[]): void {
    const current = new Set(problems.map(({ message }) => message));
    for (const { file, message, advice } of problems) {
      const known = this.#told.get(message);
      if (known === undefined) {
        this.#told.set(message, { file, appIds: new Set([appId]) });
        this.#console.say("error", undefined, `${message}\n${advice}`);
      } else {
        known.appIds.add(appId);
      }
    }
    for (const [message, { file, appIds }] of this.#told) {
      if (!current.has(message) && appIds.delete(appId) && appIds.size === 0) {
        this.#told.delete(message);
        this.#mended(file);
      }
    }
  }

  #mended(file: string | undefined): void {
    if (file !== undefined && ![...this.#told.values()].some((other) => other.file === file)) {
      this.#console.say("success", undefined, `${file} can be read again`);
    }
  }
}
