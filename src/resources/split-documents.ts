/** One document of a YAML file and the line it starts at, from 1. */
export interface DocumentText {
  readonly text: string;
  readonly firstLine: number;
}

const SEPARATOR = "\n---";

/**
 * Cuts a file at every line that starts with `---`, before any YAML is parsed, as Dapr's loader does: one broken
 * document leaves the others alone. The rest of a separator line is dropped.
 */
export function splitDocuments(file: string): readonly DocumentText[] {
  const documents: DocumentText[] = [];
  let from = 0;
  let firstLine = 1;
  for (;;) {
    const separator = file.indexOf(SEPARATOR, from);
    if (separator === -1) {
      documents.push({ text: file.slice(from), firstLine });
      return documents;
    }
    const text = file.slice(from, separator);
    documents.push({ text, firstLine });
    const lineEnd = file.indexOf("\n", separator + SEPARATOR.length);
    if (lineEnd === -1) {
      return documents;
    }
    firstLine += countLines(text) + 2;
    from = lineEnd + 1;
  }
}

function countLines(text: string): number {
  let lines = 0;
  for (let at = text.indexOf("\n"); at !== -1; at = text.indexOf("\n", at + 1)) {
    lines++;
  }
  return lines;
}
