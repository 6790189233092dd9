/** What a person needs to know of one row of the catalogue; the runtime never loads it, the reference is made of it. */
export interface ErrorHelp {
  /** What has happened, and why as a rule. */
  readonly meaning: string;
  /** What to try, the likeliest first. */
  readonly tries: readonly string[];
}

/** Help for every row of an area: a row without it does not compile. */
export type HelpOf<Rows extends object> = Readonly<Record<keyof Rows, ErrorHelp>>;

export function help(meaning: string, ...tries: string[]): ErrorHelp {
  return { meaning, tries };
}
