/** A statement about what the sidecar will do, where it comes from, and what it is made of. */
export interface Explanation {
  readonly text: string;
  /** `file:line`, or in words what it is when nobody wrote it; absent: it follows from what stands below. */
  readonly from?: string | undefined;
  readonly below?: readonly Explanation[] | undefined;
}

/** Columns in which sources begin, where the texts leave room for it. */
const SOURCE_COLUMN = 64;

/** One line for each statement, those it is made of indented below it, sources in a column of their own. */
export function renderExplanation(explanation: Explanation): string {
  return linesOf(explanation, 0)
    .map((line) => `${line}\n`)
    .join("");
}

function linesOf({ text, from, below = [] }: Explanation, depth: number): string[] {
  const line = `${"  ".repeat(depth)}${text}`;
  const own = from === undefined ? line : `${line.padEnd(SOURCE_COLUMN - 2)}  ${from}`;
  return [own, ...below.flatMap((each) => linesOf(each, depth + 1))];
}
