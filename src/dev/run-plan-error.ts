import type { Place } from "../resources/yaml-node.ts";

/** Words, files or folders that no plan can be made of. The message is for a person; nothing has been started yet. */
export class PlanError extends Error {
  override readonly name: string = "PlanError";
}

/** One thing that is wrong with a run file, and where. */
export interface RunFileProblem {
  readonly place: Place;
  readonly text: string;
}

/** A run file that cannot be run. The message has a line `file:line:column: text` for each problem. */
export class RunFileError extends PlanError {
  override readonly name = "RunFileError";
  /** At least one, in the order of the file. */
  readonly problems: readonly RunFileProblem[];

  constructor(problems: readonly RunFileProblem[], options?: ErrorOptions) {
    super(problems.map(problemLine).join("\n"), options);
    this.problems = problems;
  }
}

/** `file:line:column: text`, as compilers write it, so that terminals make links of it. */
export function problemLine({ place, text }: RunFileProblem): string {
  return `${place.file}:${place.line}:${place.column}: ${text}`;
}
