import type { SourceFile } from "./source.ts";

/** A rule over the repository's files that lint cannot hold. */
export interface Rule {
  /** A sentence that says what holds. */
  readonly name: string;
  /** The violations, each beginning with the path at fault. */
  check(files: readonly SourceFile[]): readonly string[];
  /** Each of these repositories breaks the rule: the proof that the rule can fail. */
  readonly broken: readonly (readonly SourceFile[])[];
  /** A repository that keeps the rule where a careless rule would object. */
  readonly kept: readonly SourceFile[];
}

/** Short for a file in a planted repository. */
export function file(path: string, text: string): SourceFile {
  return { path, text };
}
