/** One thing that must hold, of how many it was checked, and where it does not. */
export interface Check {
  readonly claim: string;
  readonly examined: number;
  /** What is wrong, each beginning with the name of the record. */
  readonly problems: readonly string[];
}

/** Checks a claim on everything that it is about; `problem` says what is wrong with one thing, if anything. */
export function check<Thing>(
  claim: string,
  things: Iterable<Thing>,
  problem: (thing: Thing) => string | undefined,
): Check {
  const all = [...things];
  return { claim, examined: all.length, problems: all.map(problem).filter((text) => text !== undefined) };
}
