/** Beyond this many edits two names are different names. */
const EDITS_MAX = 2;
/** Words this short allow one edit only: two would make `id` out of `app`. */
const SHORT_WORD_LENGTH = 3;

/**
 * The candidate a person most likely meant by `word`, for "did you mean" hints about flags, YAML fields and metadata.
 * Compares without case and counts insertions, deletions, substitutions and swaps of neighbours (Damerau-Levenshtein,
 * optimal string alignment), two at most. Of equally near candidates the first wins; undefined when none is near.
 */
export function suggest(word: string, candidates: Iterable<string>): string | undefined {
  const wanted = word.toLowerCase();
  let best: string | undefined;
  let bestEdits = (wanted.length <= SHORT_WORD_LENGTH ? 1 : EDITS_MAX) + 1;
  for (const candidate of candidates) {
    if (Math.abs(candidate.length - wanted.length) < bestEdits) {
      const edits = editDistance(wanted, candidate.toLowerCase());
      if (edits < bestEdits) {
        best = candidate;
        bestEdits = edits;
      }
    }
  }
  return best;
}

/** Edits between two words where swapping neighbours counts as one. */
export function editDistance(a: string, b: string): number {
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const substitution = at(previous, column - 1) + (a[row - 1] === b[column - 1] ? 0 : 1);
      let edits = Math.min(at(previous, column) + 1, at(current, column - 1) + 1, substitution);
      if (row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]) {
        edits = Math.min(edits, at(beforePrevious, column - 2) + 1);
      }
      current.push(edits);
    }
    beforePrevious = previous;
    previous = current;
  }
  return at(previous, b.length);
}

function at(row: readonly number[], column: number): number {
  return row[column] ?? Number.POSITIVE_INFINITY;
}
